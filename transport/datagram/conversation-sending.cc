// What a conversation sends, and under which keys.

#include "transport/datagram/conversation.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

// The called side has later keys before the caller can have them: what the caller needs to get there
// goes under the early ones.
bool Conversation::goesEarly(const Outgoing::Piece* piece) const {
  if (secured == nullptr) return true;
  if (setup.caller || peerSecured) return false;
  return piece == nullptr || piece->range.begin < earlyUpTo;
}

// The next bytes that window, pace and the peer's limit let go.
kj::Maybe<Outgoing::Piece> Conversation::nextPiece(size_t room, kj::TimePoint now) {
  pacerBlocks = false;
  auto found = outgoing.next(peerLimit, room);
  if (found == nullptr) {
    windowBlocks = false;
    return nullptr;
  }
  auto& piece = KJ_ASSERT_NONNULL(found);
  if (probesOwed == 0) {
    windowBlocks = flight.bytesInFlight() + DATAGRAM_BYTES > congestion.windowBytes();
    if (windowBlocks || flight.isFull()) return nullptr;
    pacerBlocks = !pacer.allows(congestion, trip, now);
    if (pacerBlocks) return nullptr;
  }
  if (goesEarly(&piece) && secured != nullptr && piece.range.end > earlyUpTo) {
    piece.range.end = earlyUpTo;
    piece.end = false;
  }
  return found;
}

bool Conversation::owesSomething(kj::TimePoint now) const {
  KJ_IF_MAYBE(due, arrivals.dueAt()) {
    if (*due <= now) return true;
  }
  return incoming.owesCredit() || pingOwed;
}

kj::Maybe<Conversation::Departure> Conversation::next(
    kj::ArrayPtr<kj::byte> out, kj::TimePoint now) {
  Frames frames;
  if (over) {
    if (!resetOwed) return nullptr;
    resetOwed = false;
    frames.reset = true;
    return seal(frames, nullptr, setup.path, out, now);
  }
  KJ_IF_MAYBE(owed, answer) {
    frames.answer = owed->token;
    auto to = owed->to;
    answer = nullptr;
    return seal(frames, nullptr, to, out, now);
  }
  KJ_IF_MAYBE(asked, candidate) {
    if (asked->askAt <= now && asked->asked < ASK_PATH_MAX) {
      ++asked->asked;
      asked->askAt = now + ASK_PATH_AGAIN_AFTER;
      frames.probe = asked->token;
      return seal(frames, nullptr, asked->at, out, now);
    }
  }
  if (arrivals.anyUntold()) frames.ack = arrivals.peek(now);
  if (incoming.owesCredit()) frames.credit = incoming.limit();
  frames.stream = true;
  auto room = DATAGRAM_BYTES - OPENING_HEADER_BYTES - framesBytes(frames) - TAG_BYTES;
  auto piece = nextPiece(room, now);
  frames.stream = piece != nullptr;
  if (piece == nullptr && !owesSomething(now)) return nullptr;
  frames.ping = pingOwed;
  KJ_IF_MAYBE(bytes, piece) return seal(frames, bytes, setup.path, out, now);
  return seal(frames, nullptr, setup.path, out, now);
}

Conversation::Departure Conversation::seal(Frames& frames, const Outgoing::Piece* piece,
    const UdpAddress& to, kj::ArrayPtr<kj::byte> out, kj::TimePoint now) {
  bool early = goesEarly(piece);
  auto kind = !early ? PacketKind::SEALED : setup.caller ? PacketKind::OPENING : PacketKind::EARLY;
  auto number = flight.nextNumber();
  if (piece != nullptr) {
    frames.offset = piece->range.begin;
    frames.end = piece->end;
  }
  if (!frames.isEliciting() && ++acksUnanswered >= ACKS_WITHOUT_ANSWER_MAX) frames.ping = true;
  if (frames.isEliciting()) acksUnanswered = 0;

  auto at = writeHeader({kind, setup.peer, setup.own, number}, out);
  at += writeFrames(frames, out.slice(at, out.size()));
  if (piece != nullptr) {
    outgoing.copyOut(*piece, out.slice(at, at + piece->range.size()));
    at += piece->range.size();
  }
  auto datagram = out.slice(0, at + TAG_BYTES);
  auto& keys = early ? setup.early : KJ_ASSERT_NONNULL(secured);
  writeTag(keys.sending, number, datagram);

  Sent sent{.at = now,
      .bytes = static_cast<uint32_t>(datagram.size()),
      .eliciting = frames.isEliciting(),
      .stream = frames.stream,
      .end = frames.end,
      .credit = frames.credit != nullptr};
  if (piece != nullptr) {
    sent.piece = piece->range;
    outgoing.sent(*piece);
  }
  KJ_IF_MAYBE(ack, frames.ack) {
    sent.told = ack->newest;
    arrivals.told();
  }
  if (sent.credit) incoming.told();
  if (frames.ping) pingOwed = false;
  if (sent.eliciting) {
    if (!flight.anyEliciting()) lastProgress = now;
    if (probesOwed > 0) --probesOwed;
    pacer.sent(sent.bytes);
  }
  lastSent = now;
  flight.sent(sent);
  return {to, datagram.size()};
}

}  // namespace hearth::transport
