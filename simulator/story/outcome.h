#pragma once
// What came of one run of a scenario.

#include "simulator/world/history.h"

#include <map>
#include <string>
#include <vector>

namespace hearth::sim {

struct Violation {
  kj::TimePoint at;
  int device = -1;      // DeviceIndex; -1: the world
  std::string checker;  // "exactly-once", "convergence", ...
  std::string text;     // one line
};

struct Outcome {
  std::string scenario;
  uint64_t seed = 0;
  std::vector<Violation> violations;
  uint64_t fingerprint = 0;
  double virtualS = 0, wallS = 0, cpuS = 0;
  std::map<std::string, uint64_t> effects;  // of faults and steps: how often each really came

  bool good() const { return violations.empty(); }
};

}  // namespace hearth::sim
