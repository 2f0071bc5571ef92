#include "router/place/solve.h"

#include <algorithm>
#include <utility>

namespace hearth::router {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014), for the kicks of the local search.
uint64_t nextRandom(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class Solver final {
 public:
  Solver(const Problem& problem, uint64_t workMax)
      : problem(problem),
        around(problem),
        topological(topologicalOrder(problem, around)),
        tasks(problem.tasks.size()),
        devices(problem.devices.size()),
        budget(workMax) {
    for (auto& device: problem.devices)
      limitedMemory = limitedMemory || device.memoryBytes != Problem::NEVER;
  }

  std::optional<Schedule> run() {
    prepareRanks();
    tryGreedy(rankMean, false);
    tryGreedy(rankMean, true);
    tryGreedy(rankLeast, true);
    trySingleDevices();
    if (!best) tryAnyPlacement();
    if (!best) return std::nullopt;
    auto searchBudget = tasks <= EXACT_TASKS_MAX ? budget / 3 : budget;
    search(budget - searchBudget);
    if (tasks <= EXACT_TASKS_MAX) branch();
    return best;
  }

 private:
  const Problem& problem;
  Neighbours around;
  std::vector<uint32_t> topological;
  size_t tasks, devices;
  uint64_t budget;
  bool limitedMemory = false;
  std::optional<Schedule> best;
  double bestS = Problem::NEVER;
  std::vector<double> rankMean, rankLeast;  // longest way to the end: means, and a lower bound
  std::vector<double> optimistic;           // [task * devices + device]: PEFT's table

  bool spend(uint64_t work) {
    if (budget < work) return false;
    budget -= work;
    return true;
  }

  // Makespan first, then with contention, then energy.
  bool isBetter(const Schedule& schedule, double seconds) const {
    if (seconds != bestS || !best) return seconds < bestS;
    auto contended = makespanContended(problem, around, schedule);
    auto bestContended = makespanContended(problem, around, *best);
    if (contended != bestContended) return contended < bestContended;
    return energy(problem, schedule, seconds) < energy(problem, *best, bestS);
  }

  void offer(const Schedule& schedule) {
    auto seconds = makespan(problem, around, schedule);
    if (seconds == Problem::NEVER || (limitedMemory && !fitsMemory(problem, schedule.device)))
      return;
    if (isBetter(schedule, seconds)) best = schedule, bestS = seconds;
  }

  void prepareRanks() {
    rankMean.assign(tasks, 0);
    rankLeast.assign(tasks, 0);
    optimistic.assign(tasks * devices, 0);
    double latency = 0, perByte = 0;
    for (size_t i = 0; i < devices * devices; ++i)
      latency += problem.latency[i], perByte += problem.perByte[i];
    double pairs = std::max<double>(1, static_cast<double>(devices * (devices - 1)));
    for (auto it = topological.rbegin(); it != topological.rend(); ++it)
      rankTask(*it, latency / pairs, perByte / pairs);
  }

  void rankTask(uint32_t task, double latency, double perByte) {
    double sum = 0, least = Problem::NEVER;
    size_t able = 0;
    for (size_t d = 0; d < devices; ++d) {
      auto seconds = problem.execOf(task, d);
      if (seconds == Problem::NEVER) continue;
      sum += seconds;
      least = std::min(least, seconds);
      ++able;
    }
    double farMean = 0, farLeast = 0;
    for (auto e: around.out[task]) {
      auto& edge = problem.edges[e];
      farMean = std::max(farMean, rankMean[edge.to] + latency + edge.bytes * perByte);
      farLeast = std::max(farLeast, rankLeast[edge.to]);
      for (size_t d = 0; d < devices; ++d) rankOptimistic(task, d, edge);
    }
    rankMean[task] = farMean + (able > 0 ? sum / static_cast<double>(able) : 0);
    rankLeast[task] = farLeast + (able > 0 ? least : 0);
  }

  void rankOptimistic(uint32_t task, size_t device, const Problem::Edge& edge) {
    double cheapest = Problem::NEVER;
    for (size_t to = 0; to < devices; ++to) {
      cheapest = std::min(cheapest,
          optimistic[edge.to * devices + to] + problem.execOf(edge.to, to) +
              problem.moving(edge, device, to));
    }
    auto& cell = optimistic[task * devices + device];
    cell = std::max(cell, cheapest);
  }

  // List scheduling: the ready task of the highest rank, where it is done first; with lookahead,
  // where it and what follows would be done first.
  void tryGreedy(const std::vector<double>& rank, bool lookahead) {
    if (!spend(tasks * devices)) return;
    Schedule schedule{std::vector<uint32_t>(tasks), {}};
    std::vector<double> finish(tasks), deviceFree(devices);
    std::vector<size_t> waitsFor(tasks);
    for (auto& edge: problem.edges) ++waitsFor[edge.to];
    std::vector<uint32_t> ready;
    for (uint32_t t = 0; t < tasks; ++t) {
      if (waitsFor[t] == 0) ready.push_back(t);
    }
    std::vector<bool> placed(tasks);
    while (!ready.empty()) {
      auto next = std::ranges::max_element(ready, {}, [&](uint32_t t) { return rank[t]; });
      auto task = *next;
      ready.erase(next);
      double leastCost = Problem::NEVER, doneAt = 0;
      for (uint32_t d = 0; d < devices; ++d) {
        double start = deviceFree[d];
        for (auto e: around.in[task]) {
          auto& edge = problem.edges[e];
          start = std::max(
              start, finish[edge.from] + problem.moving(edge, schedule.device[edge.from], d));
        }
        auto done = start + problem.execOf(task, d);
        auto cost = done + (lookahead ? optimistic[task * devices + d] : 0);
        if (cost >= leastCost || !hasRoom(schedule, placed, task, d)) continue;
        leastCost = cost, doneAt = done;
        schedule.device[task] = d;
      }
      if (leastCost == Problem::NEVER) return;
      placed[task] = true;
      finish[task] = deviceFree[schedule.device[task]] = doneAt;
      schedule.order.push_back(task);
      for (auto e: around.out[task]) {
        if (--waitsFor[problem.edges[e].to] == 0) ready.push_back(problem.edges[e].to);
      }
    }
    offer(schedule);
  }

  bool hasRoom(const Schedule& schedule, const std::vector<bool>& placed, uint32_t task,
      uint32_t device) const {
    if (!limitedMemory) return true;
    double used = problem.tasks[task].memoryBytes;
    std::vector<uint32_t> models = {problem.tasks[task].model};
    for (size_t t = 0; t < tasks; ++t) {
      auto model = problem.tasks[t].model;
      if (!placed[t] || schedule.device[t] != device) continue;
      if (std::ranges::find(models, model) != models.end()) continue;
      models.push_back(model);
      used += problem.tasks[t].memoryBytes;
    }
    return used <= problem.devices[device].memoryBytes;
  }

  void trySingleDevices() {
    for (uint32_t d = 0; d < devices; ++d) offer({std::vector<uint32_t>(tasks, d), topological});
  }

  // Greedy found nothing: memory is tight. Any placement that fits, by backtracking over the tasks
  // with the fewest devices first.
  void tryAnyPlacement() {
    constexpr uint64_t STEPS_MAX = 2'000'000;
    auto tightest = topological;
    auto choices = [&](uint32_t t) {
      size_t able = 0;
      for (size_t d = 0; d < devices; ++d) able += problem.execOf(t, d) != Problem::NEVER;
      return std::pair(able, -problem.tasks[t].memoryBytes);
    };
    std::ranges::sort(tightest, {}, choices);
    Schedule schedule{std::vector<uint32_t>(tasks), topological};
    std::vector<bool> placed(tasks);
    uint64_t steps = STEPS_MAX;
    if (fill(tightest, 0, schedule, placed, steps)) offer(schedule);
  }

  bool fill(const std::vector<uint32_t>& sequence, size_t at, Schedule& schedule,
      std::vector<bool>& placed, uint64_t& steps) {
    if (at == sequence.size()) return true;
    auto task = sequence[at];
    for (uint32_t d = 0; d < devices && steps > 0; ++d, --steps) {
      bool able = problem.execOf(task, d) != Problem::NEVER;
      if (!able || !hasRoom(schedule, placed, task, d)) continue;
      schedule.device[task] = d;
      placed[task] = true;
      if (fill(sequence, at + 1, schedule, placed, steps)) return true;
      placed[task] = false;
    }
    return false;
  }

  // Moves one task to another device or another place in the order while that helps; when nothing
  // does, a kick and on from there. Ends when the budget has come down to `rest`.
  void search(uint64_t rest) {
    uint64_t random = 0x5eed;
    auto current = *best;
    auto currentS = bestS;
    auto cost = tasks + problem.edges.size();
    while (budget > rest + cost) {
      bool improved = false;
      for (size_t i = 0; i < tasks && budget > rest + cost; ++i) {
        auto task = static_cast<uint32_t>(nextRandom(random) % tasks);
        improved = improveTask(current, currentS, task, random, rest) || improved;
      }
      if (currentS < bestS) offer(current);
      if (improved) continue;
      current = *best;
      for (int kick = 0; kick < 3; ++kick) {
        auto task = nextRandom(random) % tasks;
        current.device[task] = static_cast<uint32_t>(nextRandom(random) % devices);
      }
      currentS = limitedMemory && !fitsMemory(problem, current.device)
          ? Problem::NEVER
          : makespan(problem, around, current);
      spend(cost);
    }
  }

  bool improveTask(
      Schedule& current, double& currentS, uint32_t task, uint64_t& random, uint64_t rest) {
    auto cost = tasks + problem.edges.size();
    bool improved = false;
    for (uint32_t d = 0; d < devices && budget > rest + cost; ++d) {
      auto before = current.device[task];
      if (d == before || problem.execOf(task, d) == Problem::NEVER) continue;
      current.device[task] = d;
      if (accept(current, currentS)) {
        improved = true;
      } else {
        current.device[task] = before;
      }
    }
    if (budget <= rest + cost) return improved;
    auto order = current.order;
    shiftInOrder(current.order, task, random);
    if (current.order != order) {
      if (accept(current, currentS)) {
        improved = true;
      } else {
        current.order = std::move(order);
      }
    }
    return improved;
  }

  bool accept(const Schedule& candidate, double& currentS) {
    spend(tasks + problem.edges.size());
    auto seconds = makespan(problem, around, candidate);
    if (seconds >= currentS) return false;
    if (limitedMemory && !fitsMemory(problem, candidate.device)) return false;
    currentS = seconds;
    return true;
  }

  // Puts the task elsewhere between the last task that feeds it and the first that it feeds.
  void shiftInOrder(std::vector<uint32_t>& order, uint32_t task, uint64_t& random) const {
    auto at = static_cast<size_t>(std::ranges::find(order, task) - order.begin());
    auto isNeighbour = [&](uint32_t other, const std::vector<uint32_t>& edges, bool from) {
      return std::ranges::any_of(edges, [&](uint32_t e) {
        return (from ? problem.edges[e].from : problem.edges[e].to) == other;
      });
    };
    size_t low = at, high = at;
    while (low > 0 && !isNeighbour(order[low - 1], around.in[task], true)) --low;
    while (high + 1 < order.size() && !isNeighbour(order[high + 1], around.out[task], false))
      ++high;
    if (high == low) return;
    auto to = low + nextRandom(random) % (high - low + 1);
    order.erase(order.begin() + static_cast<ptrdiff_t>(at));
    order.insert(order.begin() + static_cast<ptrdiff_t>(to), task);
  }

  struct Branch {
    Schedule schedule;
    std::vector<double> finish, deviceFree;
    std::vector<size_t> waitsFor;
    std::vector<bool> placed;
  };

  void branch() {
    Branch root{{std::vector<uint32_t>(tasks), {}}, std::vector<double>(tasks),
        std::vector<double>(devices), std::vector<size_t>(tasks), std::vector<bool>(tasks)};
    for (auto& edge: problem.edges) ++root.waitsFor[edge.to];
    descend(root, 0);
  }

  struct Choice {
    double bound, done;
    uint32_t task, device;
  };

  // Every ready task on every device, the most promising first; a choice whose lower bound is no
  // better than the best known is not followed.
  void descend(Branch& node, double latest) {
    if (node.schedule.order.size() == tasks) return offer(node.schedule);
    std::vector<Choice> choices;
    for (uint32_t task = 0; task < tasks; ++task) {
      if (node.placed[task] || node.waitsFor[task] > 0) continue;
      for (uint32_t d = 0; d < devices; ++d) addChoice(node, latest, task, d, choices);
    }
    std::ranges::sort(choices, {}, &Choice::bound);
    for (auto& choice: choices) {
      if (choice.bound >= bestS || !spend(4)) return;
      follow(node, latest, choice);
    }
  }

  void addChoice(
      Branch& node, double latest, uint32_t task, uint32_t device, std::vector<Choice>& choices) {
    double start = node.deviceFree[device];
    for (auto e: around.in[task]) {
      auto& edge = problem.edges[e];
      start = std::max(start,
          node.finish[edge.from] + problem.moving(edge, node.schedule.device[edge.from], device));
    }
    auto done = start + problem.execOf(task, device);
    auto bound = std::max(latest, done + optimistic[task * devices + device]);
    if (bound < bestS && hasRoom(node.schedule, node.placed, task, device))
      choices.push_back({bound, done, task, device});
  }

  void follow(Branch& node, double latest, const Choice& choice) {
    auto free = node.deviceFree[choice.device];
    node.schedule.device[choice.task] = choice.device;
    node.schedule.order.push_back(choice.task);
    node.placed[choice.task] = true;
    node.finish[choice.task] = node.deviceFree[choice.device] = choice.done;
    for (auto e: around.out[choice.task]) --node.waitsFor[problem.edges[e].to];
    descend(node, std::max(latest, choice.done));
    for (auto e: around.out[choice.task]) ++node.waitsFor[problem.edges[e].to];
    node.placed[choice.task] = false;
    node.schedule.order.pop_back();
    node.deviceFree[choice.device] = free;
  }
};

}  // namespace

std::optional<Schedule> solve(const Problem& problem, uint64_t workMax) {
  return Solver(problem, workMax).run();
}

}  // namespace hearth::router
