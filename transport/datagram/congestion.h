#pragma once
// How many bytes may be on their way (NewReno as RFC 9002 §7 and appendix B have it), and how they are
// spread over time.

#include "transport/datagram/round-trip.h"

#include <cstddef>
#include <cstdint>

namespace hearth::transport {

class Congestion final {
 public:
  explicit Congestion(size_t datagramBytes)
      : datagramBytes(datagramBytes),
        window(10 * datagramBytes) {}

  size_t windowBytes() const { return window; }

  // A packet that was sent then has arrived. `limited`: the window was in the way, so more would go.
  void arrived(size_t bytes, kj::TimePoint sentAt, bool limited);

  // Packets are lost, the newest of them sent then.
  void lost(kj::TimePoint newestSentAt, kj::TimePoint now);

  // Nothing came through for several probe timeouts (RFC 9002 §7.6).
  void collapsed();

 private:
  static constexpr size_t WINDOW_DATAGRAMS_MIN = 2;

  size_t datagramBytes;
  size_t window;
  size_t threshold = SIZE_MAX;  // below it the window doubles each round trip
  size_t acknowledged = 0;      // since the window has last grown by a datagram
  kj::Maybe<kj::TimePoint> recoveringSince;

  size_t least() const { return WINDOW_DATAGRAMS_MIN * datagramBytes; }
};

// Packets leave a little faster than the window allows on average, so that it is the window that
// decides, but not all at once (RFC 9002 §7.7).
class Pacer final {
 public:
  Pacer(size_t datagramBytes, kj::TimePoint now)
      : burst(BURST_DATAGRAMS * datagramBytes),
        budget(static_cast<double>(burst)),
        filledAt(now) {}

  bool allows(const Congestion& congestion, const RoundTrip& roundTrip, kj::TimePoint now);
  void sent(size_t bytes) { budget -= static_cast<double>(bytes); }

  // When it allows the next one, after it has said no.
  kj::TimePoint allowsAt() const { return nextAt; }

 private:
  static constexpr size_t BURST_DATAGRAMS = 16;
  // Timers are not finer; what may leave in that time may leave at once.
  static constexpr kj::Duration TICK = 2 * kj::MILLISECONDS;

  size_t burst;
  double budget;  // bytes
  kj::TimePoint filledAt;
  kj::TimePoint nextAt = kj::origin<kj::TimePoint>();
};

}  // namespace hearth::transport
