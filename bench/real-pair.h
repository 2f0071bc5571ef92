#pragma once
// A circle of two devices, real daemons that have a link over loopback, and what they use.

#include "bench/real-device.h"

#include <functional>

namespace hearth::bench {

// A line for whoever waits.
void say(const std::string& what);

// Asks again and again. Throws when it has not become so.
void until(const char* what, double mostS, double everyS, const std::function<bool()>& holds);

class RealPair final {
 public:
  // The laptop has been brought in by the phone, and both run.
  explicit RealPair(const std::string& directory);

  const bool isAlone;  // on its loopback
  RealDevice phone, laptop;

  // Until both have done nothing for a while.
  void settle(double mostS = 600);

  struct Used {
    double wallS = 0, cpuS = 0;
    uint64_t wireBytes = 0;
  };
  Used used() const;  // since some moment; by both, where both run
};

}  // namespace hearth::bench
