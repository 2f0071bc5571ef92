// What a link says, and in which order: records of handshakes, its own frames, then the lanes.
#include "transport/link/carrier-facts.h"
#include "transport/link/link-frames.h"
#include "transport/link/link.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

void Link::sendMembership(kj::Array<kj::byte> bytes) {
  for (size_t at = 0; at < bytes.size(); at += MEMBERSHIP_CHUNK_BYTES) {
    auto chunk = bytes.slice(at, kj::min(at + MEMBERSHIP_CHUNK_BYTES, bytes.size()));
    sendOwn(number(crypto::Frame::MEMBERSHIP), kj::heapArray<kj::byte>(chunk));
  }
}

void Link::sendOwn(uint8_t type, kj::Array<kj::byte> body) {
  if (closing || over) return;
  ownFrames.push_back({type, kj::mv(body)});
  writer.ring();
}

// Nothing follows the end, also no reset of the streams that end with it: to the peer these would be
// streams that failed one by one on a link that still lives.
kj::Promise<void> Link::write() {
  while (!over) {
    sealBatch();
    if (batch.size() > 0) {
      KJ_IF_MAYBE(ours, session) (*ours)->lanes().ringWriters();  // there is room again
      co_await carrier->write(batch.asBytes());
    } else if (closing) {
      end({Errc::STALE, "the link was closed"}, Ending::OVER);
      co_return;
    } else {
      KJ_IF_MAYBE(ours, session) (*ours)->updateAttention();  // a stream may have gone
      co_await writer.wait();
      // Whoever writes message by message is heard out before the first of them leaves: each record costs as
      // much as the whole of a small batch. Not for as long as the loop has anything to do: a peer that keeps
      // it busy would never be answered.
      for (size_t turn = 0; turn < GATHERING_TURNS_MAX; ++turn) {
        auto before = writes();
        co_await kj::Promise<void>(kj::READY_NOW);  // all others that are ready have their turn
        if (writes() == before) break;
      }
    }
  }
}

void Link::measure() {
  auto now = timer.now();
  if (!pace.isDue(now)) return;
  auto facts = carrierFactsOf(carrier->raw());
  pace.measured(facts.atLeastBps, facts.bandwidthBps < 0, now);
  KJ_IF_MAYBE(bytes, pace.unsentToSay()) boundUnsentOf(carrier->raw(), *bytes);
}

// Of bulk one record's worth at a time: what becomes ready meanwhile waits for no more.
void Link::sealBatch() {
  measure();
  batch.clear();
  batchHasBulk = false;
  while (batch.size() < (batchHasBulk ? pace.recordBytes() : BATCH_BYTES) && sealNext()) {}
}

bool Link::sealNext() {
  if (!handshakeRecords.empty()) {
    auto record = kj::mv(handshakeRecords.front());
    handshakeRecords.pop_front();
    memcpy(batch.add(record.size()).begin(), record.begin(), record.size());
    return true;
  }
  if (ownFrames.empty() && (!carrying || closing)) return false;
  auto sealing = keys.sealing();
  if (sealing == nullptr) return false;  // what waits is sent under new keys
  auto& with = KJ_ASSERT_NONNULL(sealing);
  Result<void> sealed;
  bool isAnswer = false;  // whoever has made it necessary sees to the keys
  if (!ownFrames.empty()) {
    auto frame = kj::mv(ownFrames.front());
    ownFrames.pop_front();
    isAnswer = frame.type == PONG || frame.type == number(crypto::Frame::KEEPALIVE);
    sealed = sealInto(batch, with.key, with.receiverIndex, frame.type, frame.body);
  } else {
    auto frame = KJ_ASSERT_NONNULL(session)->next(with.bulk == nullptr ? 0 : pace.recordBytes());
    if (frame == nullptr) return false;
    auto& ready = KJ_ASSERT_NONNULL(frame);
    batchHasBulk |= ready.lane == Lane::BULK;
    if (ready.type == LaneFrame::STREAM || ready.type == LaneFrame::FRAME) pulse.expectAnswer();
    isAnswer = ready.type == LaneFrame::CREDIT || ready.type == LaneFrame::FRAME_CREDIT ||
        ready.type == LaneFrame::FIN_ACK;
    sealed = sealInto(batch, with, ready);
  }
  KJ_REQUIRE(sealed.has_value(), "a record cannot be sealed", sealed.error().because);
  pulse.said();
  if (!isAnswer) keys.sealed();
  return true;
}

void Link::sendHandshake(crypto::Buffer record, bool expectsAnswer) {
  if (over) return;
  // A peer that does not read gets the newest.
  if (handshakeRecords.size() >= HANDSHAKE_RECORDS_MAX) handshakeRecords.pop_front();
  handshakeRecords.push_back(kj::mv(record));
  if (expectsAnswer) pulse.expectAnswer();
  writer.ring();
}

// While the carrier takes nothing, the newest question is enough.
void Link::sendPing(kj::Array<kj::byte> token) {
  auto waiting = std::ranges::find_if(ownFrames, [](auto& frame) { return frame.type == PING; });
  if (waiting == ownFrames.end()) return sendOwn(PING, kj::mv(token));
  waiting->body = kj::mv(token);
}

void Link::sendSign() {
  if (ownFrames.empty()) sendOwn(number(crypto::Frame::KEEPALIVE), nullptr);
}

}  // namespace hearth::transport
