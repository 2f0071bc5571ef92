#pragma once
// What a device must remember: all that it has taken in outlives a loss of power at any moment in
// which it rests, and no number of its handshakes comes twice.

#include "simulator/story/run.h"

namespace hearth::sim {

// What would be found on each disk, if power went now, is what its daemon knows.
std::vector<Violation> keptOnDisk(Run& run);

// Each initiation counter of a device was accepted once, by one peer (SECURITY.md §6.1).
std::vector<Violation> countersAreFresh(Run& run);

}  // namespace hearth::sim
