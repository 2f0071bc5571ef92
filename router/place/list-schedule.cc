#include "router/place/list-schedule.h"

#include <algorithm>
#include <utility>

namespace hearth::router {

namespace {

class Lister final {
 public:
  Lister(const Dense& dense, const std::vector<double>& rank, Look look)
      : dense(dense),
        rank(rank),
        look(look),
        rooms(dense),
        busy(dense.devices),
        begin(dense.tasks),
        finish(dense.tasks),
        waitsFor(dense.tasks),
        made{std::vector<uint32_t>(dense.tasks), {}} {}

  std::optional<Schedule> run() {
    for (uint32_t t = 0; t < dense.tasks; ++t) {
      waitsFor[t] = static_cast<uint32_t>(dense.in(t).size());
      if (waitsFor[t] == 0) push(t);
    }
    while (!ready.empty()) {
      auto task = pop();
      if (!place(task)) return std::nullopt;
      made.order.push_back(task);
      for (auto& arc: dense.out(task)) {
        if (--waitsFor[arc.task] == 0) push(arc.task);
      }
    }
    // Tasks that went into gaps come earlier; a task of no length before what waits for it.
    for (uint32_t at = 0; at < dense.tasks; ++at) waitsFor[made.order[at]] = at;
    std::ranges::sort(made.order, {}, [&](uint32_t t) { return std::pair(begin[t], waitsFor[t]); });
    return made;
  }

 private:
  struct Span {
    double begin, end;
  };

  const Dense& dense;
  const std::vector<double>& rank;
  Look look;
  Rooms rooms;
  std::vector<std::vector<Span>> busy;  // by device, ascending
  std::vector<double> begin, finish;
  std::vector<uint32_t> waitsFor;
  std::vector<uint32_t> ready;  // a heap
  Schedule made;

  auto lower() const {
    return
        [this](uint32_t a, uint32_t b) { return rank[a] != rank[b] ? rank[a] < rank[b] : a > b; };
  }
  void push(uint32_t task) {
    ready.push_back(task);
    std::ranges::push_heap(ready, lower());
  }
  uint32_t pop() {
    std::ranges::pop_heap(ready, lower());
    auto task = ready.back();
    ready.pop_back();
    return task;
  }

  double gapAfter(uint32_t device, double from, double length) const {
    double start = std::max(from, dense.problem.devices[device].queueS);
    auto& spans = busy[device];
    if (spans.empty() || start >= spans.back().end) return start;
    auto first = std::ranges::upper_bound(spans, start, {}, &Span::end);
    for (auto it = first; it != spans.end(); ++it) {
      if (start + length <= it->begin) return start;
      start = std::max(start, it->end);
    }
    return start;
  }

  void occupy(uint32_t device, Span span) {
    auto& spans = busy[device];
    auto at = std::ranges::upper_bound(spans, span.begin, {}, &Span::begin);
    spans.insert(at, span);
  }

  bool place(uint32_t task) {
    double least = Problem::NEVER, leastDone = Problem::NEVER;
    uint32_t chosen = 0;
    for (uint32_t d = 0; d < dense.devices; ++d) {
      if (dense.exec(task, d) == Problem::NEVER || !rooms.fits(task, d)) continue;
      double ready = 0, worth = dense.worth(task, d);
      for (auto& arc: dense.in(task)) {
        auto from = made.device[arc.task];
        ready = std::max(ready, finish[arc.task] + dense.moving(arc.bytes, from, d));
        worth += dense.movingWorth(arc.bytes, from, d);
      }
      auto start = gapAfter(d, ready, dense.exec(task, d));
      auto done = start + dense.exec(task, d);
      auto cost = done + worth + (look == Look::AHEAD ? dense.tail(task, d) : 0);
      if (cost > least || (cost == least && done >= leastDone)) continue;
      least = cost, leastDone = done, chosen = d;
      begin[task] = start;
    }
    if (least == Problem::NEVER) return false;
    made.device[task] = chosen;
    finish[task] = leastDone;
    rooms.add(task, chosen);
    occupy(chosen, {begin[task], leastDone});
    return true;
  }
};

}  // namespace

std::optional<Schedule> listSchedule(
    const Dense& dense, const std::vector<double>& rank, Look look) {
  return Lister(dense, rank, look).run();
}

}  // namespace hearth::router
