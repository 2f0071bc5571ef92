#pragma once
// A Problem laid out for the solvers: neighbours in flat lists, ranks, lower bounds, and the memory
// that is left while tasks are put on devices.

#include "router/place/problem.h"

#include <span>

namespace hearth::router {

// The other end of an edge.
struct Arc {
  uint32_t task;
  double bytes;
};

struct Dense {
  // Requires an acyclic graph; `topological` is one of its orders.
  Dense(const Problem& problem, std::vector<uint32_t> topological);

  const Problem& problem;
  const uint32_t tasks, devices;
  const std::vector<uint32_t> topological;

  std::span<const Arc> in(uint32_t task) const { return arcs(inStart, inArcs, task); }
  std::span<const Arc> out(uint32_t task) const { return arcs(outStart, outArcs, task); }
  double exec(uint32_t task, uint32_t device) const {
    return problem.exec[task * devices + device];
  }
  double worth(uint32_t task, uint32_t device) const {
    return problem.worth.empty() ? 0 : problem.worth[task * devices + device];
  }
  // Seconds that `bytes` take, and what they are worth besides.
  double moving(double bytes, uint32_t from, uint32_t to) const {
    auto pair = from * devices + to;
    return problem.latency[pair] + bytes * problem.perByte[pair];
  }
  double movingWorth(double bytes, uint32_t from, uint32_t to) const {
    return problem.worthPerByte.empty() ? 0 : bytes * problem.worthPerByte[from * devices + to];
  }

  // Seconds from a task's end on a device to the end of all that rests on it, at least: PEFT's
  // optimistic cost table (Arabnejad and Barbosa 2014), which is a lower bound.
  double tail(uint32_t task, uint32_t device) const { return tails[task * devices + device]; }
  // The task's least worth on any device.
  double worthLeast(uint32_t task) const { return worthsLeast.empty() ? 0 : worthsLeast[task]; }

  std::vector<double> rankMean;   // HEFT's upward rank (Topcuoglu et al. 2002)
  std::vector<double> rankLeast;  // the longest way to the end, each task at its fastest
  std::vector<double> rankTail;   // the mean of tail()
  bool limitedMemory = false;

 private:
  std::vector<uint32_t> inStart, outStart;
  std::vector<Arc> inArcs, outArcs;
  std::vector<double> tails, worthsLeast;

  static std::span<const Arc> arcs(
      const std::vector<uint32_t>& start, const std::vector<Arc>& all, uint32_t task) {
    return std::span(all).subspan(start[task], start[task + 1] - start[task]);
  }
  void flatten();
  void rank();
  void rankTask(uint32_t task, double latency, double perByte);
  void takeTails(uint32_t task, const Arc& arc);
};

// The memory of each device, a model counted once however many of its tasks run there. The memory of
// tasks that can run on one device only is taken from the start, so that no other takes it first.
class Rooms final {
 public:
  explicit Rooms(const Dense& dense);

  bool fits(uint32_t task, uint32_t device) const {
    return !dense.limitedMemory || bytesOf(task) == 0 || users[slot(task, device)] > 0 ||
        bytesOf(task) <= left[device];
  }
  // Whether the task's model is there already.
  bool holds(uint32_t task, uint32_t device) const {
    return !dense.limitedMemory || bytesOf(task) == 0 || users[slot(task, device)] > 0;
  }
  void add(uint32_t task, uint32_t device) {
    if (dense.limitedMemory && users[slot(task, device)]++ == 0) left[device] -= bytesOf(task);
  }
  void remove(uint32_t task, uint32_t device) {
    if (dense.limitedMemory && --users[slot(task, device)] == 0) left[device] += bytesOf(task);
  }
  // Whether what was added to the device, fitting or not, is within its memory.
  bool within(uint32_t device) const { return !dense.limitedMemory || left[device] >= 0; }
  // False when already the tasks that have no choice do not fit.
  bool possible() const { return reservedFit; }

 private:
  const Dense& dense;
  size_t models = 0;
  std::vector<double> left;      // bytes, by device
  std::vector<uint32_t> users;   // tasks, by device and model
  std::vector<double> modelMax;  // bytes, by model
  bool reservedFit = true;

  double bytesOf(uint32_t task) const { return modelMax[dense.problem.tasks[task].model]; }
  size_t slot(uint32_t task, uint32_t device) const {
    return device * models + dense.problem.tasks[task].model;
  }
};

}  // namespace hearth::router
