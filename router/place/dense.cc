#include "router/place/dense.h"

#include <algorithm>
#include <utility>

namespace hearth::router {

Dense::Dense(const Problem& problem, std::vector<uint32_t> order)
    : problem(problem),
      tasks(static_cast<uint32_t>(problem.tasks.size())),
      devices(static_cast<uint32_t>(problem.devices.size())),
      topological(std::move(order)) {
  for (auto& device: problem.devices)
    limitedMemory = limitedMemory || device.memoryBytes != Problem::NEVER;
  flatten();
  rank();
}

void Dense::flatten() {
  inStart.assign(tasks + 1, 0);
  outStart.assign(tasks + 1, 0);
  for (auto& edge: problem.edges) ++inStart[edge.to + 1], ++outStart[edge.from + 1];
  for (uint32_t t = 0; t < tasks; ++t) {
    inStart[t + 1] += inStart[t];
    outStart[t + 1] += outStart[t];
  }
  inArcs.resize(problem.edges.size());
  outArcs.resize(problem.edges.size());
  auto nextIn = inStart, nextOut = outStart;
  for (auto& edge: problem.edges) {
    inArcs[nextIn[edge.to]++] = {edge.from, edge.bytes};
    outArcs[nextOut[edge.from]++] = {edge.to, edge.bytes};
  }
}

void Dense::rank() {
  rankMean.assign(tasks, 0);
  rankLeast.assign(tasks, 0);
  rankTail.assign(tasks, 0);
  tails.assign(size_t{tasks} * devices, 0);
  double latency = 0, perByte = 0;
  for (size_t i = 0; i < problem.latency.size(); ++i)
    latency += problem.latency[i], perByte += problem.perByte[i];
  auto pairs = std::max<double>(1, static_cast<double>(devices) * (devices - 1));
  for (auto it = topological.rbegin(); it != topological.rend(); ++it)
    rankTask(*it, latency / pairs, perByte / pairs);
  if (problem.worth.empty()) return;
  worthsLeast.assign(tasks, Problem::NEVER);
  for (uint32_t t = 0; t < tasks; ++t) {
    for (uint32_t d = 0; d < devices; ++d) {
      if (exec(t, d) != Problem::NEVER) worthsLeast[t] = std::min(worthsLeast[t], worth(t, d));
    }
  }
}

void Dense::rankTask(uint32_t task, double latency, double perByte) {
  double sum = 0, least = Problem::NEVER, tailSum = 0;
  uint32_t able = 0;
  double farMean = 0, farLeast = 0;
  for (auto& arc: out(task)) {
    farMean = std::max(farMean, rankMean[arc.task] + latency + arc.bytes * perByte);
    farLeast = std::max(farLeast, rankLeast[arc.task]);
    takeTails(task, arc);
  }
  for (uint32_t d = 0; d < devices; ++d) {
    if (exec(task, d) == Problem::NEVER) continue;
    sum += exec(task, d);
    least = std::min(least, exec(task, d));
    tailSum += tail(task, d);
    ++able;
  }
  if (able == 0) return;
  rankMean[task] = farMean + sum / able;
  rankLeast[task] = farLeast + least;
  rankTail[task] = tailSum / able;
}

void Dense::takeTails(uint32_t task, const Arc& arc) {
  auto* after = &problem.exec[size_t{arc.task} * devices];
  auto* rest = &tails[size_t{arc.task} * devices];
  for (uint32_t d = 0; d < devices; ++d) {
    double cheapest = Problem::NEVER;
    for (uint32_t to = 0; to < devices; ++to)
      cheapest = std::min(cheapest, rest[to] + after[to] + moving(arc.bytes, d, to));
    auto& cell = tails[size_t{task} * devices + d];
    cell = std::max(cell, cheapest);
  }
}

Rooms::Rooms(const Dense& dense): dense(dense) {
  if (!dense.limitedMemory) return;
  auto& problem = dense.problem;
  for (auto& task: problem.tasks) models = std::max<size_t>(models, task.model + 1);
  modelMax.assign(models, 0);
  for (auto& task: problem.tasks)
    modelMax[task.model] = std::max(modelMax[task.model], task.memoryBytes);
  for (auto& device: problem.devices) left.push_back(device.memoryBytes);
  users.assign(models * dense.devices, 0);
  for (uint32_t t = 0; t < dense.tasks; ++t) {
    uint32_t able = 0, only = 0;
    for (uint32_t d = 0; d < dense.devices; ++d) {
      if (dense.exec(t, d) != Problem::NEVER) ++able, only = d;
    }
    if (able != 1) continue;
    reservedFit = reservedFit && fits(t, only);
    add(t, only);
  }
}

}  // namespace hearth::router
