#include "router/place/feasible.h"

#include <algorithm>
#include <tuple>

namespace hearth::router {

namespace {

class Filler final {
 public:
  Filler(const Dense& dense, uint64_t steps)
      : dense(dense),
        rooms(dense),
        steps(steps),
        tightest(dense.topological),
        made{std::vector<uint32_t>(dense.tasks), dense.topological} {
    std::ranges::sort(tightest, {}, [&](uint32_t task) {
      uint32_t able = 0;
      for (uint32_t d = 0; d < dense.devices; ++d) able += dense.exec(task, d) != Problem::NEVER;
      auto& t = dense.problem.tasks[task];
      return std::tuple(able, -t.memoryBytes, t.model, task);
    });
  }

  std::optional<Schedule> run() {
    if (!rooms.possible() || !fill(0)) return std::nullopt;
    return std::move(made);
  }

 private:
  const Dense& dense;
  Rooms rooms;
  uint64_t steps;
  std::vector<uint32_t> tightest;  // fewest devices first, then most memory
  Schedule made;

  // A device that holds the task's model already takes it for nothing: then no other is tried.
  bool fill(size_t at) {
    auto from = at;
    for (; at < tightest.size(); ++at) {
      auto held = holder(tightest[at]);
      if (held == dense.devices) break;
      put(tightest[at], held);
    }
    if (at == tightest.size() || fillByTrying(at)) return true;
    for (; from < at; ++from) takeBack(tightest[from]);
    return false;
  }

  void put(uint32_t task, uint32_t device) {
    made.device[task] = device;
    rooms.add(task, device);
  }
  void takeBack(uint32_t task) { rooms.remove(task, made.device[task]); }

  uint32_t holder(uint32_t task) const {
    uint32_t device = 0;
    while (device < dense.devices &&
        (dense.exec(task, device) == Problem::NEVER || !rooms.holds(task, device)))
      ++device;
    return device;
  }

  bool fillByTrying(size_t at) {
    auto task = tightest[at];
    for (uint32_t d = 0; d < dense.devices; ++d) {
      if (steps == 0) return false;
      --steps;
      if (dense.exec(task, d) == Problem::NEVER || !rooms.fits(task, d)) continue;
      put(task, d);
      if (fill(at + 1)) return true;
      takeBack(task);
    }
    return false;
  }
};

}  // namespace

std::optional<Schedule> anyPlacement(const Dense& dense, uint64_t stepsMax) {
  return Filler(dense, stepsMax).run();
}

}  // namespace hearth::router
