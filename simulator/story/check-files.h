#pragma once
// What must be true of the files of folders when a story is over.

#include "simulator/story/run.h"

namespace hearth::sim {

// Files are the same on all devices that have the folder, but for those that are away on some and on another one at
// least; and what nobody else touched is what its owner made of it.
std::vector<Violation> filesAreInStep(Run& run);

}  // namespace hearth::sim
