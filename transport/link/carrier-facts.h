#pragma once
// What has been measured of a link's carrier, whichever it is: by the kernel for TCP, by the conversation
// for UDP.

#include <kj/async-io.h>

namespace hearth::transport {

// Below 0: not measured.
struct CarrierFacts {
  double rttS = -1;          // smoothed round trip, seconds
  double bandwidthBps = -1;  // bytes a second; not where the sender was never limited by the path
  double atLeastBps = -1;    // the same, where it was not: the path carries that, and perhaps more
};
CarrierFacts carrierFactsOf(kj::AsyncIoStream& carrier);

// How much the carrier may hold that it has not sent yet: more urgent lanes cannot overtake it.
void boundUnsentOf(kj::AsyncIoStream& carrier, size_t bytes);

}  // namespace hearth::transport
