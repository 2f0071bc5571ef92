#include "router/place/local-search.h"

#include <algorithm>

namespace hearth::router {

namespace {

constexpr uint32_t NONE = UINT32_MAX;
constexpr double WORTHWHILE = 1 - 1e-9;  // a gain smaller than this is rounding

class Search final {
 public:
  Search(const Dense& dense, Schedule&& start, Budget& budget)
      : dense(dense),
        budget(budget),
        rooms(dense),
        current(std::move(start)),
        place(dense.tasks),
        finish(dense.tasks),
        trial(dense.tasks),
        cause(dense.tasks),
        free(dense.devices),
        lastOn(dense.devices),
        freeAt((size_t{dense.tasks} + 1) * dense.devices),
        latestAt(dense.tasks + 1) {
    for (uint32_t t = 0; t < dense.tasks; ++t) rooms.add(t, current.device[t]);
    settle();
    best = current;
    bestCost = cost;
  }

  Schedule run(uint32_t idleKicks) {
    for (uint32_t idle = 0; idle <= idleKicks && budget.left > 0;) {
      while (improveOnce()) {}
      if (cost < bestCost * WORTHWHILE) {
        best = current;
        bestCost = cost;
        idle = 0;
      } else {
        ++idle;
      }
      kick();
    }
    return std::move(best);
  }

 private:
  const Dense& dense;
  Budget& budget;
  Rooms rooms;  // as `current` fills them
  Schedule current, best;
  double cost = 0, bestCost = 0;  // makespan and worth
  double worth = 0;               // of current
  std::vector<uint32_t> place;    // of each task in the order
  std::vector<double> finish, trial;
  std::vector<uint32_t> cause;     // the task whose end set this task's start
  std::vector<double> free;        // scratch of a replay
  std::vector<uint32_t> lastOn;    // likewise
  std::vector<double> freeAt;      // when each device is free before each place of the order
  std::vector<double> latestAt;    // the latest end before each place
  std::vector<uint32_t> critical;  // the critical path, from its end
  uint64_t random = 0x5eed;

  // SplitMix64 (Steele, Lea, Flood 2014).
  uint32_t draw(uint32_t below) {
    uint64_t z = (random += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<uint32_t>((z ^ (z >> 31)) % below);
  }

  // Replays `current` in whole and notes what trials start from.
  void settle() {
    budget.spend(dense.tasks + dense.problem.edges.size());
    worth = 0;
    double latest = 0;
    for (uint32_t d = 0; d < dense.devices; ++d) {
      free[d] = dense.problem.devices[d].queueS;
      lastOn[d] = NONE;
    }
    uint32_t end = current.order[0];
    for (uint32_t at = 0; at < dense.tasks; ++at) {
      std::ranges::copy(free, freeAt.begin() + static_cast<ptrdiff_t>(at * dense.devices));
      latestAt[at] = latest;
      auto task = current.order[at];
      auto device = current.device[task];
      place[task] = at;
      double start = free[device];
      cause[task] = lastOn[device];
      worth += dense.worth(task, device);
      for (auto& arc: dense.in(task)) {
        auto from = current.device[arc.task];
        auto arrives = finish[arc.task] + dense.moving(arc.bytes, from, device);
        if (arrives >= start) start = arrives, cause[task] = arc.task;
        worth += dense.movingWorth(arc.bytes, from, device);
      }
      finish[task] = free[device] = start + dense.exec(task, device);
      lastOn[device] = task;
      if (finish[task] > latest) latest = finish[task], end = task;
    }
    cost = latest + worth;
    critical.clear();
    for (auto task = end; task != NONE; task = cause[task]) critical.push_back(task);
  }

  // The makespan of `current` as it was changed from `at` on, or NEVER as soon as it cannot come
  // below `limit`.
  double replayFrom(uint32_t at, double limit) {
    trial = finish;
    auto saved = freeAt.begin() + static_cast<ptrdiff_t>(at * dense.devices);
    std::copy(saved, saved + dense.devices, free.begin());
    double latest = latestAt[at];
    uint64_t work = 0;
    for (; at < dense.tasks; ++at) {
      auto task = current.order[at];
      auto device = current.device[task];
      double start = free[device];
      auto arcs = dense.in(task);
      work += 1 + arcs.size();
      for (auto& arc: arcs) {
        start = std::max(
            start, trial[arc.task] + dense.moving(arc.bytes, current.device[arc.task], device));
      }
      auto done = start + dense.exec(task, device);
      if (done + dense.tail(task, device) >= limit) {
        latest = Problem::NEVER;
        break;
      }
      trial[task] = free[device] = done;
      latest = std::max(latest, done);
    }
    budget.spend(work);
    return latest;
  }

  // What the task and its edges are worth where they are.
  double worthAround(uint32_t task) const {
    if (dense.problem.worth.empty()) return 0;
    auto device = current.device[task];
    double sum = dense.worth(task, device);
    for (auto& arc: dense.in(task))
      sum += dense.movingWorth(arc.bytes, current.device[arc.task], device);
    for (auto& arc: dense.out(task))
      sum += dense.movingWorth(arc.bytes, device, current.device[arc.task]);
    return sum;
  }

  bool canMove(uint32_t task, uint32_t device) const {
    return dense.exec(task, device) != Problem::NEVER && rooms.fits(task, device);
  }

  void setDevice(uint32_t task, uint32_t device) {
    rooms.remove(task, current.device[task]);
    rooms.add(task, device);
    worth -= worthAround(task);
    current.device[task] = device;
    worth += worthAround(task);
  }

  // Whether `current`, changed from `at` on, is better than before.
  bool isGain(uint32_t at) { return replayFrom(at, cost * WORTHWHILE - worth) != Problem::NEVER; }

  bool improveOnce() {
    for (size_t i = 0; i < critical.size() && budget.left > 0; ++i) {
      auto task = critical[i];
      auto before = i + 1 < critical.size() ? critical[i + 1] : NONE;
      if (tryDevices(task, before) || tryOrder(task)) {
        settle();
        return true;
      }
    }
    return false;
  }

  // `also`: the task before it on the critical path, which may have to come along.
  bool tryDevices(uint32_t task, uint32_t also) {
    auto home = current.device[task];
    for (uint32_t d = 0; d < dense.devices; ++d) {
      if (d == home || dense.exec(task, d) == Problem::NEVER) continue;
      if (!rooms.fits(task, d)) {
        if (tryMakingRoom(task, d)) return true;
        continue;
      }
      setDevice(task, d);
      if (isGain(place[task])) return true;
      if (also != NONE && tryAlong(also, d)) return true;
      setDevice(task, home);
    }
    return false;
  }

  bool tryAlong(uint32_t task, uint32_t device) {
    auto home = current.device[task];
    if (device == home || !canMove(task, device)) return false;
    setDevice(task, device);
    if (isGain(place[task])) return true;
    setDevice(task, home);
    return false;
  }

  // The device's memory is full: one of its tasks has to go elsewhere.
  bool tryMakingRoom(uint32_t task, uint32_t device) {
    auto home = current.device[task];
    setDevice(task, device);
    for (uint32_t other = 0; other < dense.tasks && budget.left > 0; ++other) {
      if (other == task || current.device[other] != device) continue;
      for (uint32_t d = 0; d < dense.devices; ++d) {
        if (d == device || !canMove(other, d)) continue;
        setDevice(other, d);
        if (rooms.within(device) && isGain(std::min(place[task], place[other]))) return true;
        setDevice(other, device);
      }
    }
    setDevice(task, home);
    return false;
  }

  // Before the task whose end it waits for, when that is none of its own producers; or that one
  // behind it.
  bool tryOrder(uint32_t task) {
    auto blocker = cause[task];
    if (blocker == NONE || current.device[blocker] != current.device[task]) return false;
    auto first = place[blocker], last = place[task];
    auto order = current.order.begin();
    bool before = std::ranges::all_of(
        dense.in(task), [&](const Arc& arc) { return place[arc.task] < first; });
    if (before) {
      std::rotate(order + first, order + last, order + last + 1);
      if (isGain(first)) return true;
      std::rotate(order + first, order + first + 1, order + last + 1);
    }
    bool behind = std::ranges::all_of(
        dense.out(blocker), [&](const Arc& arc) { return place[arc.task] > last; });
    if (behind) {
      std::rotate(order + first, order + first + 1, order + last + 1);
      if (isGain(first)) return true;
      std::rotate(order + first, order + last, order + last + 1);
    }
    return false;
  }

  // A few random moves from the best.
  void kick() {
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      if (current.device[t] == best.device[t]) continue;
      rooms.remove(t, current.device[t]);
      rooms.add(t, best.device[t]);
    }
    current = best;
    for (auto moves = 2 + draw(3); moves > 0; --moves) {
      auto task = draw(dense.tasks), device = draw(dense.devices);
      if (!canMove(task, device)) continue;
      rooms.remove(task, current.device[task]);
      rooms.add(task, device);
      current.device[task] = device;
    }
    settle();
  }
};

}  // namespace

Schedule improve(const Dense& dense, Schedule start, Budget& budget, uint32_t idleKicks) {
  return Search(dense, std::move(start), budget).run(idleKicks);
}

}  // namespace hearth::router
