#pragma once
// Finds a schedule of small makespan: list scheduling by several ranks and the best single device,
// then for small graphs branch and bound up to the proved optimum or the end of the budget, for
// larger ones local search. The budget counts work and not time, so that an answer is the same on
// every machine.

#include "router/place/problem.h"

#include <optional>

namespace hearth::router {

// Visits of tasks and edges by the local search, and choices looked at by the complete one: at most
// some 80 us of one core for a graph of up to SMALL_TASKS_MAX, 250 us for others of a household's
// size, two to three times that in a process that has just begun (docs/adr/0020).
constexpr uint32_t SMALL_TASKS_MAX = 11;
constexpr uint64_t VISITS_MAX_SMALL = 6'000;
constexpr uint64_t VISITS_MAX = 30'000;
constexpr uint64_t CHOICES_MAX_SMALL = 1'800;
constexpr uint64_t CHOICES_MAX = 3'000;

// None when no placement fits (a task that may run nowhere, memory). Requires an acyclic graph of at
// least one task.
std::optional<Schedule> solve(const Problem& problem);

}  // namespace hearth::router
