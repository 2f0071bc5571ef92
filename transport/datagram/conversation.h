#pragma once
// One reliable stream of bytes each way over datagrams, as a machine: datagrams and times in, datagrams
// out. docs/PROTOCOL.md, "UDP carrier", says what they look like.
//
// Every datagram is authenticated before anything else is done with it, first by early keys that both
// sides have from the call, then by keys from the handshake that ran over the stream (secure()). What
// an attacker injects or changes is dropped and costs nothing; what he replays has a number that has
// come before. A peer that is heard from another address is asked whether it is there, and when it
// answers from there, the path has moved.
//
//   OPEN ──▶ OVER    reset by a side, or silent for too long. Both directions end by themselves before.

#include "core/entropy/entropy.h"
#include "transport/datagram/arrivals.h"
#include "transport/datagram/congestion.h"
#include "transport/datagram/flight.h"
#include "transport/datagram/incoming.h"
#include "transport/datagram/outgoing.h"
#include "transport/wire/udp-address.h"

namespace hearth::transport {

class Conversation final {
 public:
  static constexpr kj::Duration SILENT_MAX = 30 * kj::SECONDS;  // while an answer is owed
  static constexpr kj::Duration ASK_PATH_AGAIN_AFTER = 250 * kj::MILLISECONDS;
  static constexpr uint32_t ASK_PATH_MAX = 4;  // then the address is forgotten
  static constexpr uint32_t TIMEOUTS_DOUBLED_MAX = 6;
  // A side that only acknowledges asks for an answer now and then, to learn what the peer knows.
  static constexpr uint32_t ACKS_WITHOUT_ANSWER_MAX = 32;

  struct Setup {
    bool caller;
    ConnectionId own, peer;
    PacketKeys early;
    UdpAddress path;
    kj::Maybe<kj::Duration> roundTrip = nullptr;  // as the call has measured it
  };
  Conversation(Setup setup, Entropy& entropy, kj::TimePoint now);

  // A packet that names own(). false: not authentic, or come before; nothing has happened.
  bool received(
      const Packet& packet, crypto::Bytes datagram, const UdpAddress& from, kj::TimePoint now);

  // Writes the next datagram, if there is one to be sent now. `out` holds DATAGRAM_BYTES.
  struct Departure {
    UdpAddress to;
    size_t bytes;
  };
  kj::Maybe<Departure> next(kj::ArrayPtr<kj::byte> out, kj::TimePoint now);

  // When next() may have something though nothing was received or written. Then call tick().
  kj::Maybe<kj::TimePoint> wakeAt() const;
  void tick(kj::TimePoint now);

  // The stream. write() gives how many bytes there was room for.
  size_t write(kj::ArrayPtr<const kj::byte> bytes);
  void finish() { outgoing.finish(); }
  void boundUnsent(size_t bytes) { outgoing.boundUnsent(bytes); }
  size_t read(kj::ArrayPtr<kj::byte> out) { return incoming.read(out); }
  bool owesCredit() const { return incoming.owesCredit(); }
  bool isReadable() const { return incoming.readable() > 0 || incoming.isEnded() || over; }
  bool isEnded() const { return incoming.isEnded(); }
  bool isWritable() const { return outgoing.hasRoom() || over; }
  bool isDelivered() const { return outgoing.isDelivered(); }
  bool isFinished() const { return outgoing.isFinished(); }

  // Ends it now, for both sides: the next datagram says so.
  void reset();
  bool isOver() const { return over; }

  // The handshake is done. What was written before may still have to be sent under the early keys,
  // because the peer cannot have these yet.
  void secure(PacketKeys keys);
  bool isSecured() const { return secured != nullptr; }

  // Sends something at least so often, to keep a NAT's mapping; none: silent when there is nothing.
  void keepAlive(kj::Maybe<kj::Duration> every) { refreshEvery = every; }

  const ConnectionId& own() const { return setup.own; }
  const UdpAddress& path() const { return setup.path; }
  const RoundTrip& roundTrip() const { return trip; }
  size_t windowBytes() const { return congestion.windowBytes(); }
  void addTo(Holdings& holdings) const;

 private:
  struct Candidate {
    UdpAddress at;
    ProbeToken token;
    uint32_t asked = 0;
    kj::TimePoint askAt;
  };
  struct Answer {
    UdpAddress to;
    ProbeToken token;
  };

  Setup setup;
  Entropy& entropy;
  kj::Maybe<PacketKeys> secured;
  bool peerSecured = false;  // has sent under these keys
  uint64_t earlyUpTo = 0;    // bytes before it go under the early keys until then
  Incoming incoming;
  Outgoing outgoing;
  Arrivals arrivals;
  Flight flight;
  RoundTrip trip;
  Congestion congestion;
  Pacer pacer;
  uint64_t peerLimit = Incoming::WINDOW_BYTES_EARLY;
  uint32_t timeouts = 0;    // in a row
  uint32_t probesOwed = 0;  // packets that a timeout allows beyond the window
  uint32_t acksUnanswered = 0;
  bool pacerBlocks = false;
  bool windowBlocks = false;
  bool pingOwed = false;
  bool resetOwed = false;
  bool over = false;
  kj::TimePoint lastProgress;  // something arrived, or nothing was owed
  kj::TimePoint lastSent;
  kj::Maybe<kj::Duration> refreshEvery;
  kj::Maybe<Candidate> candidate;
  kj::Maybe<Answer> answer;

  bool isEarlyAccepted() const;
  const PacketKey* keyFor(PacketKind kind) const;
  bool goesEarly(const Outgoing::Piece* piece) const;
  bool process(const Frames& frames, kj::TimePoint now);
  void heardFrom(const UdpAddress& from, kj::TimePoint now);
  void moveTo(const UdpAddress& path, kj::TimePoint now);
  bool acknowledged(const Ack& ack, kj::TimePoint now);
  void settle(Flight::Outcome& outcome, kj::TimePoint now);
  void timedOut(kj::TimePoint now);
  kj::Maybe<kj::TimePoint> timeoutAt() const;
  kj::Maybe<Outgoing::Piece> nextPiece(size_t room, kj::TimePoint now);
  bool owesSomething(kj::TimePoint now) const;
  Departure seal(Frames& frames, const Outgoing::Piece* piece, const UdpAddress& to,
      kj::ArrayPtr<kj::byte> out, kj::TimePoint now);
};

}  // namespace hearth::transport
