#pragma once
// The packets that are on their way: which have arrived, which are lost (RFC 9002 §6).

#include "transport/datagram/frames.h"
#include "transport/datagram/round-trip.h"

#include <deque>

namespace hearth::transport {

// What was in a packet, as far as it matters when it arrives or is lost.
struct Sent {
  kj::TimePoint at;
  uint32_t bytes = 0;      // of the datagram
  bool eliciting = false;  // only such are in flight, and missed
  bool stream = false;     // `piece` of it, and its end
  Range piece;
  bool end = false;
  bool credit = false;
  kj::Maybe<uint64_t> told;  // the newest arrival that it acknowledged
};

class Flight final {
 public:
  // A packet is lost when one this many numbers later has arrived (RFC 9002 §6.1.1).
  static constexpr uint64_t OVERTAKEN_BY = 3;
  // Packets remembered. The window of bytes keeps the number far below it.
  static constexpr size_t PACKETS_MAX = 16'384;

  uint64_t nextNumber() const { return first + packets.size(); }
  bool isFull() const { return packets.size() >= PACKETS_MAX; }
  void sent(Sent packet);

  // What has become clear. Views until the next call of anything here.
  struct Outcome {
    std::vector<Sent> arrived, lost;
    kj::Maybe<kj::Duration> roundTrip;  // of the newest, when it has just arrived
  };
  // Errors: BAD_FORMAT when it acknowledges what was never sent.
  Result<Outcome*> acknowledged(const Ack& ack, const RoundTrip& roundTrip, kj::TimePoint now);
  Outcome& overdue(const RoundTrip& roundTrip, kj::TimePoint now);
  // All that is on its way is taken as lost: it went where nobody is any more.
  Outcome& abandon();

  size_t bytesInFlight() const { return inFlight; }
  bool anyEliciting() const { return elicitingInFlight > 0; }
  kj::TimePoint lastElicitingAt() const { return lastEliciting; }

  // When the next packet is overdue, though nothing else comes.
  kj::Maybe<kj::TimePoint> overdueAt() const { return lossAt; }

  // The oldest that is on its way and asks for an answer. Requires anyEliciting().
  const Sent& oldest() const;

 private:
  struct Held: Sent {
    bool open = true;  // neither arrived nor lost
  };
  std::deque<Held> packets;
  uint64_t first = 0;  // number of packets.front()
  kj::Maybe<uint64_t> newestArrived;
  size_t inFlight = 0;
  size_t elicitingInFlight = 0;
  kj::TimePoint lastEliciting = kj::origin<kj::TimePoint>();
  kj::Maybe<kj::TimePoint> lossAt;
  Outcome outcome;

  void close(Held& packet);
  void findLost(const RoundTrip& roundTrip, kj::TimePoint now);
  void forgetClosed();
};

}  // namespace hearth::transport
