#pragma once
// Makes a schedule better by moves on its critical path: a task to another device, two neighbours to
// another device together, a task before the one that it waits for. When no move helps, a few
// random moves from the best so far, and on. Deterministic.

#include "router/place/dense.h"

namespace hearth::router {

// Work that may still be done, in visits of tasks and edges: not time, so that an answer is the same
// on every machine.
struct Budget {
  uint64_t left;

  bool spend(uint64_t work) {
    if (left < work) {
      left = 0;
      return false;
    }
    left -= work;
    return true;
  }
};

// `start` fits the devices' memory. Gives a schedule whose cost is never higher. `idleKicks`: ends
// after so many random starts without gain, or with the budget.
Schedule improve(const Dense& dense, Schedule start, Budget& budget, uint32_t idleKicks);

}  // namespace hearth::router
