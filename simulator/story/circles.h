#pragma once
// The circles of a world as its running devices see them, for checkers.

#include "simulator/story/run.h"

namespace hearth::sim {

using Violations = std::vector<Violation>;

inline kj::TimePoint now(Run& run) { return run.world.time.now(); }

// A device whose daemon runs now and counts itself as a member.
struct Present {
  Device& device;
  devices::Node& node;
};
using Circle = std::vector<Present>;

std::vector<Circle> circles(Run& run);

// Removed according to what any device of the circle knows.
bool isRemoved(const Circle& circle, const Device& device);
Circle membersOf(const Circle& circle);

}  // namespace hearth::sim
