#pragma once
// Which packets have come, so that none counts twice and the peer learns which did not.
//
// Numbers below a floor count as come: so late a packet has been sent again under another number. The
// floor rises when the peer has learned of what is below it, and when there are too many gaps.

#include "transport/datagram/frames.h"
#include "transport/datagram/round-trip.h"

namespace hearth::transport {

class Arrivals final {
 public:
  static constexpr size_t STRETCHES_MAX = 64;
  // With so many unacknowledged packets an acknowledgement is due at once.
  static constexpr size_t UNTOLD_MAX = 2;

  bool isNew(uint64_t number) const { return number >= floor && !numbers.contains(number); }
  bool isNewest(uint64_t number) const { return numbers.isEmpty() || number > newest; }

  // A packet that is new.
  void came(uint64_t number, bool eliciting, kj::TimePoint now);

  // An acknowledgement is wanted, be it in passing.
  bool anyUntold() const { return untold > 0; }
  // When it is due even if nothing else is sent.
  kj::Maybe<kj::TimePoint> dueAt() const;

  // What to tell the peer. Requires that something has come.
  Ack peek(kj::TimePoint now) const;
  void told();

  // The peer has what was told when `newestThen` was the newest.
  void known(uint64_t newestThen);

 private:
  Ranges numbers;
  uint64_t floor = 0;
  uint64_t newest = 0;
  kj::TimePoint newestAt = kj::origin<kj::TimePoint>();
  size_t untold = 0;
  bool outOfTurn = false;  // a gap, or what fills one: the peer shall know soon
  kj::TimePoint due = kj::origin<kj::TimePoint>();
};

}  // namespace hearth::transport
