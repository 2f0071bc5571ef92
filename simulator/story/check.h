#pragma once
// What must hold in every world once its faults are over, whatever happened before. One function a
// property; each gives the violations that it finds.

#include "simulator/story/run.h"

namespace hearth::sim {

std::vector<Violation> check(Run& run);

}  // namespace hearth::sim
