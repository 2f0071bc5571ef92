#pragma once
// How long frames are on their way, told by two clocks that know nothing of each other. The frame that
// was fastest of late is taken to have needed half of the shortest round trip; what another one needed
// beyond it, it spent in queues: this device's clock less the sender's has grown by as much.

#include <kj/time.h>

#include <cstdint>

namespace hearth::transport {

class Transit final {
 public:
  // The fastest of the last one to two of these counts: clocks that drift apart by 200 millionths are
  // 12 ms further from each other then.
  static constexpr kj::Duration FASTEST_OF = 30 * kj::SECONDS;

  // What frames state of their sender's clock: it goes around in 71 minutes.
  static uint32_t microseconds(kj::TimePoint now);

  // A frame has come now that was sent then. Any `sentUs` is taken: a sender that lies is wrong about
  // its own frames alone.
  kj::Duration of(uint32_t sentUs, kj::TimePoint now);

  void roundTrip(kj::Duration measured);

  // Over another carrier everything is measured anew.
  void restart() { *this = Transit(); }

 private:
  bool began = false;
  kj::TimePoint freshSince = kj::origin<kj::TimePoint>();
  // This device's clock less the sender's, modulo 2^32, of the fastest frame: before `freshSince`, and since.
  uint32_t fastest = 0, freshest = 0;
  kj::Maybe<kj::Duration> shortestRoundTrip;
};

}  // namespace hearth::transport
