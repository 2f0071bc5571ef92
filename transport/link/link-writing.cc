// What a link says, and in which order: records of handshakes, its own frames, then the lanes.
#include "transport/link/link-frames.h"
#include "transport/link/link.h"
#include "transport/link/udp-connector.h"
#include "transport/wire/tcp-facts.h"

#include <kj/debug.h>

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
  auto& raw = carrier->raw();
  auto datagrams = dynamic_cast<Secured*>(&raw);
  if (datagrams != nullptr) {
    pace.measured(datagrams->facts().bandwidthBps, false, now);
  } else {
    double rate = -1;
    bool atLeast = true;
    KJ_IF_MAYBE(tcp, tcpFactsOf(raw)) {
      rate = tcp->atLeastBps;
      atLeast = tcp->bandwidthBps < 0;
    }
    pace.measured(rate, atLeast, now);
  }
  KJ_IF_MAYBE(bytes, pace.unsentToSay()) {
    if (datagrams != nullptr)
      datagrams->boundUnsent(*bytes);
    else
      boundUnsent(raw, *bytes);
  }
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

void Link::sendPing(kj::Array<kj::byte> token) { sendOwn(PING, kj::mv(token)); }

}  // namespace hearth::transport
