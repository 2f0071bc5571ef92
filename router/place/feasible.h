#pragma once
// Finds any placement that fits the devices' memory, by complete search within a limit.

#include "router/place/dense.h"

#include <optional>

namespace hearth::router {

// Choices that are looked at before the search gives up: some ten milliseconds.
constexpr uint64_t FEASIBLE_STEPS_MAX = 1'000'000;

// The tasks in topological order, each on some device; none when no placement fits, or when the
// limit is reached first.
std::optional<Schedule> anyPlacement(const Dense& dense, uint64_t stepsMax = FEASIBLE_STEPS_MAX);

}  // namespace hearth::router
