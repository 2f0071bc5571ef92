#pragma once
// List scheduling: the ready task of the highest rank goes where it is done first, into a gap when
// one is long enough.

#include "router/place/dense.h"

#include <optional>

namespace hearth::router {

// What decides the device: when the task is done, or when all that rests on it could be done.
enum class Look : uint8_t { DONE, AHEAD };

// None when a task finds no device with room. Deterministic: ties go to the lower index.
std::optional<Schedule> listSchedule(
    const Dense& dense, const std::vector<double>& rank, Look look);

}  // namespace hearth::router
