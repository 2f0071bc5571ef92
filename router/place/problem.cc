#include "router/place/problem.h"

#include <algorithm>
#include <utility>

namespace hearth::router {

Neighbours::Neighbours(const Problem& problem)
    : in(problem.tasks.size()),
      out(problem.tasks.size()) {
  for (uint32_t e = 0; e < problem.edges.size(); ++e) {
    in[problem.edges[e].to].push_back(e);
    out[problem.edges[e].from].push_back(e);
  }
}

std::vector<uint32_t> topologicalOrder(const Problem& problem, const Neighbours& neighbours) {
  std::vector<size_t> waitsFor(problem.tasks.size());
  for (auto& edge: problem.edges) ++waitsFor[edge.to];
  std::vector<uint32_t> order;
  for (uint32_t t = 0; t < waitsFor.size(); ++t) {
    if (waitsFor[t] == 0) order.push_back(t);
  }
  for (size_t i = 0; i < order.size(); ++i) {
    for (auto e: neighbours.out[order[i]]) {
      if (--waitsFor[problem.edges[e].to] == 0) order.push_back(problem.edges[e].to);
    }
  }
  if (order.size() < problem.tasks.size()) order.clear();
  return order;
}

double worth(const Problem& problem, const Schedule& schedule) {
  if (problem.worth.empty()) return 0;
  double sum = 0;
  for (size_t t = 0; t < problem.tasks.size(); ++t)
    sum += problem.worth[t * problem.devices.size() + schedule.device[t]];
  for (auto& edge: problem.edges) {
    auto pair = schedule.device[edge.from] * problem.devices.size() + schedule.device[edge.to];
    sum += edge.bytes * problem.worthPerByte[pair];
  }
  return sum;
}

double makespan(const Problem& problem, const Neighbours& neighbours, const Schedule& schedule) {
  thread_local std::vector<double> finish, deviceFree;
  finish.assign(problem.tasks.size(), 0);
  deviceFree.clear();
  for (auto& device: problem.devices) deviceFree.push_back(device.queueS);
  double latest = 0;
  for (auto task: schedule.order) {
    auto device = schedule.device[task];
    double start = deviceFree[device];
    for (auto e: neighbours.in[task]) {
      auto& edge = problem.edges[e];
      auto from = schedule.device[edge.from];
      start = std::max(start, finish[edge.from] + problem.moving(edge, from, device));
    }
    finish[task] = deviceFree[device] = start + problem.execOf(task, device);
    latest = std::max(latest, finish[task]);
  }
  return latest;
}

double makespanContended(
    const Problem& problem, const Neighbours& neighbours, const Schedule& schedule) {
  std::vector<double> finish(problem.tasks.size()), deviceFree;
  for (auto& device: problem.devices) deviceFree.push_back(device.queueS);
  std::vector<double> sendFree(problem.devices.size()), receiveFree(problem.devices.size());
  double latest = 0;
  for (auto task: schedule.order) {
    auto device = schedule.device[task];
    double start = deviceFree[device];
    for (auto e: neighbours.in[task]) {
      auto& edge = problem.edges[e];
      auto from = schedule.device[edge.from];
      double arrived = finish[edge.from];
      if (from != device) {
        auto begin = std::max({arrived, sendFree[from], receiveFree[device]});
        arrived = begin + problem.moving(edge, from, device);
        sendFree[from] = receiveFree[device] = arrived;
      }
      start = std::max(start, arrived);
    }
    finish[task] = deviceFree[device] = start + problem.execOf(task, device);
    latest = std::max(latest, finish[task]);
  }
  return latest;
}

double energy(const Problem& problem, const Schedule& schedule, double makespanS) {
  double joules = 0;
  for (auto& device: problem.devices) joules += device.idleW * makespanS;
  for (size_t t = 0; t < problem.tasks.size(); ++t) {
    auto device = schedule.device[t];
    joules += problem.devices[device].activeW * problem.execOf(t, device);
  }
  for (auto& edge: problem.edges) {
    auto from = schedule.device[edge.from], to = schedule.device[edge.to];
    if (from == to) continue;
    joules += edge.bytes * (problem.devices[from].txJPerByte + problem.devices[to].rxJPerByte);
  }
  return joules;
}

bool fitsMemory(const Problem& problem, const std::vector<uint32_t>& device) {
  // Which tasks' models were counted, by device; tasks are few and models fewer, so pairs are looked
  // for in a list.
  thread_local std::vector<std::pair<uint32_t, uint32_t>> counted;
  thread_local std::vector<double> used;
  counted.clear();
  used.assign(problem.devices.size(), 0);
  for (size_t t = 0; t < device.size(); ++t) {
    auto& task = problem.tasks[t];
    std::pair<uint32_t, uint32_t> pair = {device[t], task.model};
    if (task.memoryBytes == 0 || std::ranges::find(counted, pair) != counted.end()) continue;
    counted.push_back(pair);
    used[device[t]] += task.memoryBytes;
    if (used[device[t]] > problem.devices[device[t]].memoryBytes) return false;
  }
  return true;
}

}  // namespace hearth::router
