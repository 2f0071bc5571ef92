#include "router/place/branch-bound.h"

#include <kj/debug.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>

namespace hearth::router {

namespace {

constexpr double WORTHWHILE = 1 - 1e-9;  // a gain smaller than this is rounding

// What was reached with which tasks done where, for the dominance test.
struct Visited {
  static constexpr size_t SLOTS = 512;  // fixed: an older entry makes room
  struct Key {
    uint64_t done = 0;   // a bit for each task; never empty in an entry that counts
    uint64_t where = 0;  // four bits for each task whose device still matters
  };

  explicit Visited(size_t width)
      : width(width),
        times(std::make_unique_for_overwrite<double[]>(SLOTS * width)) {}

  static size_t slotOf(const Key& key) {
    auto mixed = (key.done * 0x9e3779b97f4a7c15) ^ (key.where * 0xbf58476d1ce4e5b9);
    return (mixed ^ (mixed >> 29)) * 0x94d049bb133111eb >> 55;
  }

  // Whether an entry has the key and none of its times is later; else `mine` takes its place.
  bool dominates(const Key& key, const double* mine, size_t count) {
    auto slot = slotOf(key);
    auto* theirs = &times[slot * width];
    if (keys[slot].done == key.done && keys[slot].where == key.where) {
      size_t i = 0;
      while (i < count && theirs[i] <= mine[i]) ++i;
      if (i == count) return true;
    }
    keys[slot] = key;
    std::copy(mine, mine + count, theirs);
    return false;
  }

  size_t width;
  std::array<Key, SLOTS> keys = {};
  std::unique_ptr<double[]> times;
};

class Brancher final {
 public:
  Brancher(const Dense& dense, double below, Budget& budget)
      : dense(dense),
        budget(budget),
        below(below),
        rooms(dense),
        visited(1 + dense.devices + dense.tasks) {
    made.device.resize(dense.tasks);
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      waitsFor[t] = static_cast<uint32_t>(dense.in(t).size());
      if (waitsFor[t] == 0) becomeReady(t);
      worthLeft += dense.worthLeast(t);
    }
    for (uint32_t d = 0; d < dense.devices; ++d) free[d] = dense.problem.devices[d].queueS;
    findTwins();
    weighLoads();
  }

  std::optional<Schedule> run() {
    descend(0, 0, 0);
    return std::move(best);
  }

 private:
  struct Choice {
    double bound, start;
    uint32_t task, device;
  };

  const Dense& dense;
  Budget& budget;
  double below;
  std::optional<Schedule> best;
  Rooms rooms;
  Visited visited;
  Schedule made;
  std::vector<Choice> choices;   // of all nodes from the root to here
  uint64_t done = 0, ready = 0;  // a bit for each task
  double worthLeft = 0;          // the least that the tasks that are not done are worth
  std::array<uint32_t, BRANCH_TASKS_MAX> waitsFor = {};
  std::array<double, BRANCH_TASKS_MAX> finish = {};
  std::array<std::array<double, BRANCH_DEVICES_MAX>, BRANCH_TASKS_MAX> arrives = {};
  std::array<double, BRANCH_DEVICES_MAX> free = {};
  std::array<uint32_t, BRANCH_DEVICES_MAX> usedBy = {};  // how many tasks each device has
  std::array<uint32_t, BRANCH_DEVICES_MAX> twin = {};  // an earlier device like this one, or itself

  // For weights w of devices with sum 1, no schedule ends before the sum of w * free and of each
  // task's least w * exec: a mean of the devices' loads.
  static constexpr size_t WEIGHTINGS = 2;
  std::array<std::array<double, BRANCH_DEVICES_MAX>, WEIGHTINGS> weight = {};
  std::array<std::array<double, BRANCH_TASKS_MAX>, WEIGHTINGS> weighed = {};
  std::array<double, WEIGHTINGS> weighedLeft = {};

  void findTwins() {
    for (uint32_t d = 0; d < dense.devices; ++d) {
      twin[d] = d;
      for (uint32_t other = 0; other < d && twin[d] == d; ++other) {
        if (alike(d, other)) twin[d] = other;
      }
    }
  }

  bool alike(uint32_t a, uint32_t b) const {
    auto& problem = dense.problem;
    auto& x = problem.devices[a];
    auto& y = problem.devices[b];
    if (x.memoryBytes != y.memoryBytes || x.queueS != y.queueS) return false;
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      if (dense.exec(t, a) != dense.exec(t, b) || dense.worth(t, a) != dense.worth(t, b))
        return false;
    }
    auto same = [&](uint32_t a1, uint32_t a2, uint32_t b1, uint32_t b2) {
      auto p = a1 * dense.devices + a2, q = b1 * dense.devices + b2;
      return problem.latency[p] == problem.latency[q] && problem.perByte[p] == problem.perByte[q] &&
          (problem.worthPerByte.empty() || problem.worthPerByte[p] == problem.worthPerByte[q]);
    };
    for (uint32_t d = 0; d < dense.devices; ++d) {
      if (d != a && d != b && !(same(a, d, b, d) && same(d, a, d, b))) return false;
    }
    return same(a, b, b, a);
  }

  // The first weighting is even; the second is shifted to the devices that would carry most.
  void weighLoads() {
    std::array<double, BRANCH_DEVICES_MAX> w;
    w.fill(1.0 / dense.devices);
    takeWeights(0, w);
    takeWeights(1, w);
    constexpr int ROUNDS = 12;
    for (int round = 0; round < ROUNDS; ++round) {
      auto loads = loadsUnder(w);
      double mean = 0, sum = 0;
      for (uint32_t d = 0; d < dense.devices; ++d) mean += w[d] * loads[d];
      if (mean <= 0) return;
      for (uint32_t d = 0; d < dense.devices; ++d)
        sum += w[d] *= std::exp(std::clamp(loads[d] / mean - 1, -1.0, 1.0) / (round + 2));
      for (auto& value: w) value /= sum;
      takeWeightsIfBetter(w);
    }
  }

  std::array<double, BRANCH_DEVICES_MAX> loadsUnder(
      const std::array<double, BRANCH_DEVICES_MAX>& w) const {
    std::array<double, BRANCH_DEVICES_MAX> loads = {};
    for (uint32_t d = 0; d < dense.devices; ++d) loads[d] = free[d];
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      uint32_t to = 0;
      for (uint32_t d = 1; d < dense.devices; ++d) {
        if (!(w[to] * dense.exec(t, to) <= w[d] * dense.exec(t, d))) to = d;
      }
      loads[to] += dense.exec(t, to);
    }
    return loads;
  }

  double takeWeights(size_t into, const std::array<double, BRANCH_DEVICES_MAX>& w) {
    weight[into] = w;
    weighedLeft[into] = 0;
    double bound = 0;
    for (uint32_t d = 0; d < dense.devices; ++d) bound += w[d] * free[d];
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      double least = Problem::NEVER;
      for (uint32_t d = 0; d < dense.devices; ++d) {
        if (dense.exec(t, d) != Problem::NEVER) least = std::min(least, w[d] * dense.exec(t, d));
      }
      weighed[into][t] = least;
      weighedLeft[into] += least;
    }
    return bound + weighedLeft[into];
  }

  void takeWeightsIfBetter(const std::array<double, BRANCH_DEVICES_MAX>& w) {
    auto before = weight[1];
    auto was = takeWeights(1, before);
    if (takeWeights(1, w) < was) takeWeights(1, before);
  }

  void becomeReady(uint32_t task) {
    ready |= uint64_t{1} << task;
    for (uint32_t d = 0; d < dense.devices; ++d) {
      double at = 0;
      for (auto& arc: dense.in(task))
        at = std::max(at, finish[arc.task] + dense.moving(arc.bytes, made.device[arc.task], d));
      arrives[task][d] = at;
    }
  }

  // `latest`: the latest start so far, before which nothing starts any more; `ends`: the latest end;
  // `worth`: of the tasks that are done.
  void descend(double latest, double ends, double worth) {
    if (made.order.size() == dense.tasks) {
      below = (ends + worth) * WORTHWHILE;
      best = made;
      return;
    }
    if (done != 0 && isDominated(latest, ends, worth)) return;
    if (loadBound(latest) + worth + worthLeft >= below) return;
    auto first = choices.size();
    collect(latest, ends, worth);
    std::sort(choices.begin() + static_cast<ptrdiff_t>(first), choices.end(),
        [](const Choice& a, const Choice& b) {
          return a.bound != b.bound ? a.bound < b.bound : a.start < b.start;
        });
    auto last = choices.size();
    for (auto i = first; i < last; ++i) {
      auto choice = choices[i];  // a copy: the list grows below
      if (choice.bound >= below || !budget.spend(1)) break;
      follow(choice, ends, worth);
    }
    choices.resize(first);
  }

  double loadBound(double latest) const {
    double most = 0;
    for (size_t i = 0; i < WEIGHTINGS; ++i) {
      double sum = weighedLeft[i];
      for (uint32_t d = 0; d < dense.devices; ++d) sum += weight[i][d] * std::max(free[d], latest);
      most = std::max(most, sum);
    }
    return most;
  }

  bool isDominated(double latest, double ends, double worth) {
    Visited::Key key{done, 0};
    std::array<double, 2 + BRANCH_TASKS_MAX + BRANCH_DEVICES_MAX> mine;
    size_t count = 0;
    mine[count++] = worth;
    mine[count++] = ends;
    for (uint32_t d = 0; d < dense.devices; ++d) mine[count++] = std::max(free[d], latest);
    for (auto bits = done; bits != 0; bits &= bits - 1) {
      auto task = static_cast<uint32_t>(std::countr_zero(bits));
      bool feeds = std::ranges::any_of(
          dense.out(task), [&](const Arc& arc) { return !(done >> arc.task & 1); });
      if (feeds) mine[count++] = finish[task];
      if (feeds || dense.limitedMemory) key.where |= uint64_t{made.device[task]} << (4 * task);
    }
    return visited.dominates(key, mine.data(), count);
  }

  // Adds what can come next; nothing when some task can no longer come in time anywhere.
  void collect(double latest, double ends, double worth) {
    auto first = choices.size();
    for (auto bits = ready; bits != 0; bits &= bits - 1) {
      auto task = static_cast<uint32_t>(std::countr_zero(bits));
      auto others = worth + worthLeft - dense.worthLeast(task);
      double least = Problem::NEVER;
      for (uint32_t d = 0; d < dense.devices; ++d) {
        auto exec = dense.exec(task, d);
        if (exec == Problem::NEVER || !rooms.fits(task, d)) continue;
        auto start = std::max(free[d], arrives[task][d]);
        auto bound = std::max(ends, std::max(start, latest) + exec + dense.tail(task, d)) + others +
            dense.worth(task, d);
        least = std::min(least, bound);
        bool known = usedBy[d] == 0 && twin[d] != d && usedBy[twin[d]] == 0;
        if (bound < below && start >= latest && !known) choices.push_back({bound, start, task, d});
      }
      if (least >= below) return choices.resize(first);
    }
  }

  void follow(const Choice& choice, double ends, double worth) {
    auto task = choice.task, device = choice.device;
    auto wasFree = free[device];
    auto wasReady = ready;
    made.device[task] = device;
    made.order.push_back(task);
    finish[task] = free[device] = choice.start + dense.exec(task, device);
    done |= uint64_t{1} << task;
    ready &= ~(uint64_t{1} << task);
    rooms.add(task, device);
    ++usedBy[device];
    worthLeft -= dense.worthLeast(task);
    worth += dense.worth(task, device);
    for (auto& arc: dense.in(task))
      worth += dense.movingWorth(arc.bytes, made.device[arc.task], device);
    for (size_t i = 0; i < WEIGHTINGS; ++i) weighedLeft[i] -= weighed[i][task];
    for (auto& arc: dense.out(task)) {
      if (--waitsFor[arc.task] == 0) becomeReady(arc.task);
    }
    descend(choice.start, std::max(ends, finish[task]), worth);
    for (auto& arc: dense.out(task)) ++waitsFor[arc.task];
    for (size_t i = 0; i < WEIGHTINGS; ++i) weighedLeft[i] += weighed[i][task];
    worthLeft += dense.worthLeast(task);
    --usedBy[device];
    rooms.remove(task, device);
    ready = wasReady;
    done &= ~(uint64_t{1} << task);
    free[device] = wasFree;
    made.order.pop_back();
  }
};

}  // namespace

std::optional<Schedule> branch(const Dense& dense, double below, Budget& budget) {
  KJ_REQUIRE(dense.tasks <= BRANCH_TASKS_MAX && dense.devices <= BRANCH_DEVICES_MAX);
  return Brancher(dense, below * WORTHWHILE, budget).run();
}

}  // namespace hearth::router
