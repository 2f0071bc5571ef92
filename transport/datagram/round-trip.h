#pragma once
// How long a packet and its acknowledgement take (RFC 9002 §5).

#include <kj/common.h>
#include <kj/time.h>

namespace hearth::transport {

// A receiver acknowledges at latest after this, however little has come.
constexpr kj::Duration ACK_DELAY_MAX = 10 * kj::MILLISECONDS;

class RoundTrip final {
 public:
  // Before the first sample. RFC 9002 has 333 ms, for the internet at large; a circle's devices are
  // mostly near, and a packet too many of a handshake costs little.
  static constexpr kj::Duration INITIAL = 100 * kj::MILLISECONDS;
  static constexpr kj::Duration GRANULARITY = 1 * kj::MILLISECONDS;

  // `ackDelay` is what the peer says that it waited.
  void sample(kj::Duration measured, kj::Duration ackDelay);

  bool isMeasured() const { return measuredYet; }
  kj::Duration smoothed() const { return average; }
  kj::Duration latest() const { return last; }

  // After so much silence a packet or its acknowledgement is probably lost (RFC 9002 §6.2.1).
  kj::Duration probeTimeout() const {
    return average + kj::max(4 * variation, GRANULARITY) + ACK_DELAY_MAX;
  }
  // One packet is lost when a later one was acknowledged and it is this old (RFC 9002 §6.1.2).
  kj::Duration lossDelay() const { return kj::max(kj::max(average, last) * 9 / 8, GRANULARITY); }

 private:
  bool measuredYet = false;
  kj::Duration average = INITIAL;
  kj::Duration variation = INITIAL / 2;
  kj::Duration last = 0 * kj::SECONDS;
  kj::Duration least = 0 * kj::SECONDS;
};

}  // namespace hearth::transport
