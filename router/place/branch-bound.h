#pragma once
// Complete search for small graphs: schedules are built in the order in which tasks start, so each
// is met once; a partial one is left when a lower bound, or an earlier one with the same tasks done
// at the same places and no later, shows that nothing better can come of it.

#include "router/place/dense.h"
#include "router/place/local-search.h"

#include <optional>

namespace hearth::router {

constexpr uint32_t BRANCH_TASKS_MAX = 16;
constexpr uint32_t BRANCH_DEVICES_MAX = 16;

// A schedule that costs less than `below` (makespan and worth; may be NEVER), the best there is
// unless the budget ends first; none when none was found. Spends one from the budget for each choice
// that it looks at. Requires no more tasks and devices than the limits above, and that some placement
// fits.
std::optional<Schedule> branch(const Dense& dense, double below, Budget& budget);

}  // namespace hearth::router
