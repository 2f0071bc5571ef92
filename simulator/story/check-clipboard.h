#pragma once
// What must be true of the clipboard when a story is over.

#include "simulator/story/run.h"

namespace hearth::sim {

// What is past its lifetime, or was cleared away, is shown nowhere and in no database of a device that has run for a
// while; what was acknowledged to be kept is on every member that can read.
std::vector<Violation> clipboardForgets(Run& run);

}  // namespace hearth::sim
