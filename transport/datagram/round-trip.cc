#include "transport/datagram/round-trip.h"

namespace hearth::transport {

void RoundTrip::sample(kj::Duration measured, kj::Duration ackDelay) {
  last = measured;
  if (!measuredYet) {
    measuredYet = true;
    least = average = measured;
    variation = measured / 2;
    return;
  }
  least = kj::min(least, measured);
  auto adjusted = measured;
  auto waited = kj::min(ackDelay, ACK_DELAY_MAX);
  if (measured >= least + waited) adjusted = measured - waited;
  auto apart = average > adjusted ? average - adjusted : adjusted - average;
  variation = variation * 3 / 4 + apart / 4;
  average = average * 7 / 8 + adjusted / 8;
}

}  // namespace hearth::transport
