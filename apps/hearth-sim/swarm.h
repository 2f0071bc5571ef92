#pragma once
// Many runs in several processes: one world a process at a time, because a world that dies takes its
// process along, and that must be told like any other violation.

#include "simulator/story/run.h"

#include <functional>

namespace hearth::cli {

struct SwarmRun {
  const sim::Scenario* scenario;
  uint64_t seed;
};

// What is left of an outcome between processes.
struct SwarmResult {
  std::string scenario;
  uint64_t seed = 0;
  uint64_t fingerprint = 0;
  double virtualS = 0, cpuS = 0;
  std::map<std::string, uint64_t> effects;
  std::vector<std::string> violations;  // one line each
};

// Runs everything in `jobs` processes. `told` is given each result as it comes and says whether to go
// on. The results in the order of `runs`; those not reached are missing.
std::vector<SwarmResult> swarm(const std::vector<SwarmRun>& runs, const sim::Catalogue& catalogue,
    unsigned jobs, const std::function<bool(const SwarmResult&)>& told);

SwarmResult resultOf(const sim::Outcome& outcome);

}  // namespace hearth::cli
