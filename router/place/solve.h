#pragma once
// Finds a schedule of small makespan: list scheduling by upward rank (HEFT, Topcuoglu et al. 2002)
// and by optimistic cost (PEFT, Arabnejad and Barbosa 2014), the best single device, then local
// search, then for small graphs branch and bound as far as the budget goes. The budget counts work
// and not time, so that an answer is the same on every machine.

#include "router/place/problem.h"

#include <optional>

namespace hearth::router {

// Task visits: a replay of a schedule costs its tasks and edges. About 100 us of one core.
constexpr uint64_t SOLVE_WORK_MAX = 30'000;
constexpr size_t EXACT_TASKS_MAX = 12;

// None when no placement fits (a task that may run nowhere, memory). Requires an acyclic graph.
std::optional<Schedule> solve(const Problem& problem, uint64_t workMax = SOLVE_WORK_MAX);

}  // namespace hearth::router
