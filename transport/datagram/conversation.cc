#include "transport/datagram/conversation.h"

#include <algorithm>

namespace hearth::transport {

namespace {

void sooner(kj::Maybe<kj::TimePoint>& first, kj::Maybe<kj::TimePoint> other) {
  KJ_IF_MAYBE(at, other) first = kj::min(first.orDefault(*at), *at);
}

bool isDue(const kj::Maybe<kj::TimePoint>& at, kj::TimePoint now) {
  KJ_IF_MAYBE(time, at) return *time <= now;
  return false;
}

}  // namespace

Conversation::Conversation(Setup setupIn, Entropy& entropy, kj::TimePoint now)
    : setup(kj::mv(setupIn)),
      entropy(entropy),
      congestion(DATAGRAM_BYTES),
      pacer(DATAGRAM_BYTES, now),
      lastProgress(now),
      lastSent(now) {
  KJ_IF_MAYBE(measured, setup.roundTrip) trip.sample(*measured, 0 * kj::SECONDS);
}

// The called side hears the caller under the early keys until it has heard it under the later ones.
bool Conversation::isEarlyAccepted() const {
  return secured == nullptr || (!setup.caller && !peerSecured);
}

const PacketKey* Conversation::keyFor(PacketKind kind) const {
  if (kind == PacketKind::SEALED) {
    KJ_IF_MAYBE(keys, secured) return &keys->receiving;
    return nullptr;
  }
  bool fits = kind == (setup.caller ? PacketKind::EARLY : PacketKind::OPENING);
  return fits && isEarlyAccepted() ? &setup.early.receiving : nullptr;
}

bool Conversation::received(
    const Packet& packet, crypto::Bytes datagram, const UdpAddress& from, kj::TimePoint now) {
  auto key = keyFor(packet.kind);
  if (over || key == nullptr || !arrivals.isNew(packet.number)) return false;
  bool isLate = packet.kind == PacketKind::SEALED;
  // An address is believed before the handshake because it had a cookie, and no other is.
  if (!isLate && from != setup.path) return false;
  if (!tagHolds(*key, packet.number, datagram)) return false;
  if (isLate && !peerSecured) {
    peerSecured = true;
    incoming.widen();
  }
  auto frames = readFrames(packet.frames);
  if (!frames) {
    reset();
    return true;
  }
  bool newest = arrivals.isNewest(packet.number);
  if (!process(*frames, now)) return true;
  arrivals.came(packet.number, frames->isEliciting(), now);
  if (newest && from != setup.path) heardFrom(from, now);
  KJ_IF_MAYBE(token, frames->probe) answer = Answer{from, *token};
  KJ_IF_MAYBE(token, frames->answer) {
    KJ_IF_MAYBE(asked, candidate) {
      if (asked->token == *token) moveTo(asked->at, now);
    }
  }
  return true;
}

// false: it does not count as come.
bool Conversation::process(const Frames& frames, kj::TimePoint now) {
  if (frames.reset) {
    over = true;
    return false;
  }
  KJ_IF_MAYBE(ack, frames.ack) {
    if (!acknowledged(*ack, now)) return false;
  }
  KJ_IF_MAYBE(limit, frames.credit) peerLimit = std::max(peerLimit, *limit);
  if (!frames.stream) return true;
  auto taken = incoming.take(frames.offset, frames.bytes, frames.end);
  if (!taken) reset();
  return taken.value_or(false);
}

bool Conversation::acknowledged(const Ack& ack, kj::TimePoint now) {
  auto outcome = flight.acknowledged(ack, trip, now);
  if (!outcome) {
    reset();
    return false;
  }
  KJ_IF_MAYBE(measured, (*outcome)->roundTrip) trip.sample(*measured, ack.delay);
  settle(**outcome, now);
  return true;
}

void Conversation::settle(Flight::Outcome& outcome, kj::TimePoint now) {
  bool limited = windowBlocks || pacerBlocks;
  for (auto& packet: outcome.arrived) {
    if (packet.stream) outgoing.arrived({packet.piece, packet.end});
    KJ_IF_MAYBE(newest, packet.told) arrivals.known(*newest);
    if (packet.eliciting) {
      congestion.arrived(packet.bytes, packet.at, limited);
      timeouts = 0;
      lastProgress = now;
    }
  }
  for (auto& packet: outcome.lost) {
    if (packet.stream) outgoing.lost({packet.piece, packet.end});
    if (packet.credit) incoming.untold();
  }
  if (!outcome.lost.empty()) congestion.lost(outcome.lost.back().at, now);
}

// Somebody who holds the keys, or who forwards what he does: only he can answer.
void Conversation::heardFrom(const UdpAddress& from, kj::TimePoint now) {
  KJ_IF_MAYBE(asked, candidate) {
    if (asked->at == from) return;
  }
  candidate = Candidate{from, entropy.draw<ProbeToken>(), 0, now};
}

// What was on its way went where nobody is any more. That says nothing of the new path.
void Conversation::moveTo(const UdpAddress& path, kj::TimePoint now) {
  setup.path = path;
  candidate = nullptr;
  for (auto& packet: flight.abandon().lost) {
    if (packet.stream) outgoing.lost({packet.piece, packet.end});
    if (packet.credit) incoming.untold();
  }
  congestion = Congestion(DATAGRAM_BYTES);
  trip = RoundTrip();
  timeouts = 0;
  lastProgress = now;
}

kj::Maybe<kj::TimePoint> Conversation::timeoutAt() const {
  if (!flight.anyEliciting()) return nullptr;
  return flight.lastElicitingAt() + trip.probeTimeout() * (1 << timeouts);
}

kj::Maybe<kj::TimePoint> Conversation::wakeAt() const {
  if (over) return nullptr;
  kj::Maybe<kj::TimePoint> first;
  sooner(first, arrivals.dueAt());
  sooner(first, flight.overdueAt() == nullptr ? timeoutAt() : flight.overdueAt());
  if (pacerBlocks) sooner(first, pacer.allowsAt());
  KJ_IF_MAYBE(asked, candidate) sooner(first, asked->askAt);
  KJ_IF_MAYBE(every, refreshEvery) sooner(first, lastSent + *every);
  return first;
}

void Conversation::tick(kj::TimePoint now) {
  if (over) return;
  if (isDue(flight.overdueAt(), now)) {
    settle(flight.overdue(trip, now), now);
  } else if (flight.overdueAt() == nullptr && isDue(timeoutAt(), now)) {
    timedOut(now);
  }
  KJ_IF_MAYBE(asked, candidate) {
    if (asked->asked == ASK_PATH_MAX && asked->askAt <= now) candidate = nullptr;
  }
  KJ_IF_MAYBE(every, refreshEvery) pingOwed |= now - lastSent >= *every;
}

// No acknowledgement: the oldest packet goes once more, whatever the window says, to get one.
void Conversation::timedOut(kj::TimePoint now) {
  constexpr uint32_t PROBES = 2, COLLAPSED_AFTER = 3;
  if (now - lastProgress >= SILENT_MAX) {
    over = true;
    return;
  }
  timeouts = std::min(timeouts + 1, TIMEOUTS_DOUBLED_MAX);
  if (timeouts == COLLAPSED_AFTER) congestion.collapsed();
  probesOwed = PROBES;
  auto& oldest = flight.oldest();
  if (oldest.stream) outgoing.lost({oldest.piece, oldest.end});
  if (oldest.credit) incoming.untold();
  // Its bytes may have arrived in another packet.
  if (outgoing.next(peerLimit, 1) == nullptr) pingOwed = true;
}

size_t Conversation::write(kj::ArrayPtr<const kj::byte> bytes) { return outgoing.write(bytes); }

void Conversation::reset() {
  if (over) return;
  over = true;
  resetOwed = true;
}

void Conversation::secure(PacketKeys keys) {
  if (secured != nullptr) return;
  secured = kj::mv(keys);
  if (setup.caller) {
    incoming.widen();
  } else {
    earlyUpTo = outgoing.writtenTo();
  }
}

void Conversation::addTo(Holdings& holdings) const {
  outgoing.addTo(holdings);
  incoming.addTo(holdings);
}

}  // namespace hearth::transport
