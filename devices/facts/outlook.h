#pragma once
// What of the machine decides whether it should move much data just now.

#include <kj/async.h>

#include <cstdint>

namespace hearth::devices {

struct Outlook {
  kj::Maybe<uint8_t> batteryPercent{};  // while it is being emptied; none: mains, or it is charging
  bool isMetered = false;               // what goes over the network costs its owner something
};

// Where it is read. Two implementations: the machine, and a simulated one.
class OutlookSource {
 public:
  // Asks anew. What cannot be known is as a machine on mains with a network that costs nothing.
  virtual kj::Promise<Outlook> look() = 0;
};

}  // namespace hearth::devices
