#pragma once
// Placing as numbers: tasks, devices, what each takes where, what moving costs. A schedule runs each
// device's tasks in the given order, one at a time; a task starts when its device is free and its
// inputs have arrived (latency + bytes / bandwidth).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace hearth::router {

struct Problem {
  static constexpr size_t TASKS_MAX = 4'096;
  static constexpr size_t DEVICES_MAX = 64;
  static constexpr size_t EDGES_MAX = 65'536;
  static constexpr double NEVER = std::numeric_limits<double>::infinity();

  struct Edge {
    uint32_t from, to;
    double bytes;
  };
  struct Device {
    double activeW = 0, idleW = 0, txJPerByte = 0, rxJPerByte = 0;
    double memoryBytes = NEVER;
    double queueS = 0;  // busy so long with other work
  };
  struct Task {
    double memoryBytes = 0;
    uint32_t model = 0;  // tasks of one model share its memory on a device
  };

  std::vector<Task> tasks;
  std::vector<Device> devices;
  std::vector<Edge> edges;
  std::vector<double> exec;     // [task * devices + device], NEVER where it may not run
  std::vector<double> latency;  // [from * devices + to], seconds; 0 on the diagonal
  std::vector<double> perByte;  // likewise, seconds a byte

  // What a task or a transfer costs besides its time, in seconds, laid out as `exec` and `latency`;
  // both empty when nothing does (`hearth place`).
  std::vector<double> worth, worthPerByte;

  double execOf(size_t task, size_t device) const { return exec[task * devices.size() + device]; }
  double moving(const Edge& edge, size_t from, size_t to) const {
    auto pair = from * devices.size() + to;
    return latency[pair] + edge.bytes * perByte[pair];
  }
};

// Which edges end and begin at each task; made once for a problem.
struct Neighbours {
  explicit Neighbours(const Problem& problem);
  std::vector<std::vector<uint32_t>> in, out;  // by task: indexes of edges
};

struct Schedule {
  std::vector<uint32_t> device;  // of each task
  std::vector<uint32_t> order;   // a linear extension of the graph
};

// The tasks in an order in which none comes before what feeds it; empty for a graph with a cycle.
std::vector<uint32_t> topologicalOrder(const Problem& problem, const Neighbours& neighbours);

// What the schedule costs besides its time, seconds.
double worth(const Problem& problem, const Schedule& schedule);

// Without contention: any number of transfers at once. NEVER when a task may not run where it is.
double makespan(const Problem& problem, const Neighbours& neighbours, const Schedule& schedule);

// With one send and one receive at a time per device.
double makespanContended(
    const Problem& problem, const Neighbours& neighbours, const Schedule& schedule);

// Joules: active power while running, radio cost at both ends, idle power until the makespan.
double energy(const Problem& problem, const Schedule& schedule, double makespanS);

// Whether each device holds the models of its tasks.
bool fitsMemory(const Problem& problem, const std::vector<uint32_t>& device);

}  // namespace hearth::router
