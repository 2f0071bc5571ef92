// F2: DATA and BULK records behind their keys, the frames of the lanes, RESUME, and the message stream of
// MEMBERSHIP and PAIRING frames.

#include "crypto/handshake/bulk.h"
#include "crypto/handshake/messages.h"
#include "tests/crypto/seeded-entropy.h"
#include "tests/fuzz/target.h"
#include "transport/link/handover.h"
#include "transport/link/lanes.h"

#include <algorithm>

namespace hearth::fuzz {
namespace {

using namespace crypto;
using transport::Lane;
using transport::Lanes;

constexpr uint32_t INDEX = 5;

CipherState cipher() {
  SeededEntropy entropy(31);
  return CipherState(chaChaPoly(), CipherKey::draw(entropy));
}

// A whole plaintext under the right key.
void dataPlain(FlatReader& in) {
  auto plain = in.remaining();
  if (plain.size() > DATA_PLAIN_BYTES_MAX) return;
  auto body = kj::heapArray<kj::byte>(4 + plain.size() + NoiseCipher::TAG_BYTES);
  memcpy(body.begin(), Little(INDEX).asBytes().begin(), 4);
  SendingKey sending(cipher());
  expect(sending.seal(plain, body.slice(4, body.size())).has_value());
  ReceivingKey receiving(cipher());
  auto frame = openData(receiving, body);
  if (frame) expect(frame->body.size() + 3 <= plain.size());
}

void dataRecord(FlatReader& in) {
  SendingKey sending(cipher());
  auto padding = in.u8() % 2 == 0 ? Padding::INTERACTIVE : Padding::OTHER;
  auto record = sealData(sending, INDEX, in.u8(), in.var8(), padding).value();
  auto body = damaged(record.slice(RECORD_HEADER_BYTES, record.size()), in);
  (void)receiverIndexOf(body);
  ReceivingKey receiving(cipher());
  if (openData(receiving, body)) expect(receiving.counter() == 1);
}

void bulkRecord(FlatReader& in) {
  auto key = [] {
    SeededEntropy entropy(32);
    return BulkKey::draw(entropy);
  };
  auto noiseN = in.u64(), offset = in.u64();
  auto record = BulkSender(key()).seal(INDEX, noiseN, in.u32(), offset, in.var8()).value();
  auto body = damaged(record.slice(RECORD_HEADER_BYTES, record.size()), in);
  if (auto chunk = BulkReceiver(key()).open(body, noiseN)) expect(chunk->offset == offset);
}

void within(const Lanes& lanes) {
  Holdings holdings;
  lanes.addTo(holdings);
  for (auto& held: holdings) KJ_ASSERT(held.now <= held.most, held.what, held.now);
}

// What the owner of a link may do with its streams.
void act(Lanes& lanes, uint8_t what, transport::StreamId id, kj::TimePoint now, FlatReader& in) {
  switch (what) {
    case 0:
      (void)lanes.open(static_cast<Lane>(id % transport::LANES), in.var8());
      break;
    case 1: {
      auto bytes = zeros(in.u16() * size_t{5});
      lanes.write(id, bytes);
      break;
    }
    case 2: {
      auto room = zeros(in.u16() * size_t{5});
      lanes.read(id, room);
      break;
    }
    case 3:
      lanes.finish(id);
      break;
    case 4:
      lanes.reset(id, Errc::STALE);
      break;
    case 5:
      lanes.release(id);
      break;
    case 6:
      if (lanes.isOpen(id) && lanes.laneOf(id) == Lane::LIVE)
        (void)lanes.writeFrame(id, in.var8(), now + in.u16() * kj::MILLISECONDS / 2, now);
      break;
    case 7:
      (void)lanes.readFrame(id, now);
      break;
    default:
      if (lanes.isOpen(id)) (void)lanes.headerOf(id), (void)lanes.laneOf(id);
      (void)lanes.atEnd(id);
      (void)lanes.anyWaitedFor();
  }
}

constexpr uint8_t ACTIONS = 9;

kj::TimePoint later(kj::TimePoint now, FlatReader& in) { return now + in.u8() * kj::MILLISECONDS; }

// One end against a peer that sends whatever the input says.
void hostileFrames(FlatReader& in) {
  auto how = in.u8();
  Lanes lanes(how % 2 == 0);
  auto now = kj::origin<kj::TimePoint>();
  while (in.good() && in.remaining().size() > 0) {
    auto what = in.u8() % 16;
    if (what < ACTIONS) {
      act(lanes, static_cast<uint8_t>(what), in.u8(), now, in);
    } else if (what < 10) {
      while (lanes.next(now) != nullptr) {}
      now = later(now, in);
    } else if (what < 11) {
      FlatWriter bytes;  // more than an input holds
      bytes.u32(in.u8()).bytes(zeros(in.u16()));
      if (!lanes.received(4, bytes.asBytes(), now)) return;
    } else {
      auto type = in.u8();
      if (!lanes.received(type % 32, in.var8(), now)) return;
    }
    within(lanes);
  }
}

// One end that has come to some state, and then a RESUME: its states say whatever the input does.
void resumed(FlatReader& in) {
  Lanes lanes(in.u8() % 2 == 0);
  auto now = kj::origin<kj::TimePoint>();
  for (auto steps = in.u8() % 32; in.good() && steps > 0; --steps) {
    auto what = in.u8() % (ACTIONS + 2);
    if (what < ACTIONS) {
      act(lanes, static_cast<uint8_t>(what), in.u8(), now, in);
    } else if (what == ACTIONS) {
      while (lanes.next(now) != nullptr) {}
    } else {
      auto type = in.u8();
      if (!lanes.received(type % 32, in.var8(), now)) return;
    }
  }
  auto bytes = in.remaining();
  auto frame = transport::readResume(bytes);
  if (!frame) return;
  expect(encode(*frame) == bytes);
  (void)transport::Handover(false).called(*frame);
  (void)lanes.states();
  auto events = lanes.resume(frame->states);
  within(lanes);
  if (!events) return;
  while (lanes.next(now) != nullptr) {}
  within(lanes);
}

// Everything that one end has to say; the other must take it.
void carry(Lanes& from, Lanes& to, kj::TimePoint now) {
  for (;;) {
    auto frame = from.next(now);
    if (frame == nullptr) return;
    auto& moved = KJ_ASSERT_NONNULL(frame);
    auto body = kj::heapArray<kj::byte>(moved.bodyBytes());
    moved.copyTo(body.begin());
    auto taken = to.received(static_cast<uint8_t>(moved.type), body, now);
    KJ_ASSERT(taken.has_value(), static_cast<uint8_t>(moved.type), taken.error().because);
  }
}

// Two honest ends whose owners do what they like, with frames under way.
void honestEnds(FlatReader& in) {
  Lanes a(true), b(false);
  auto now = kj::origin<kj::TimePoint>();
  while (in.good() && in.remaining().size() > 0) {
    auto what = in.u8() % 22;
    auto& self = what % 2 == 0 ? a : b;
    if (what / 2 < ACTIONS)
      act(self, static_cast<uint8_t>(what / 2), in.u8(), now, in);
    else if (what / 2 == ACTIONS)
      now = later(now, in);
    else
      carry(self, what % 2 == 0 ? b : a, now);
    within(a), within(b);
  }
}

// However a stream is cut, the same messages come out.
void messageStream(FlatReader& in) {
  auto cut = in.u8() + size_t{1};
  auto stream = in.remaining();
  MessageReader whole, pieces;
  auto expected = whole.feed(stream);
  size_t count = 0;
  for (size_t at = 0; at < stream.size(); at += cut) {
    auto given = pieces.feed(stream.slice(at, std::min(at + cut, stream.size())));
    if (!given) {
      expect(!expected.has_value());
      return;
    }
    for (auto& message: *given) {
      if (!expected) continue;
      expect(count < expected->size());
      auto& same = (*expected)[count++];
      expect(message.kind == same.kind && message.body == same.body);
    }
  }
  expect(expected.has_value() && count == expected->size());
  expect(whole.isInside() == pieces.isInside());
}

constexpr void (*WAYS[])(FlatReader&) = {
    dataPlain, dataRecord, bulkRecord, hostileFrames, honestEnds, messageStream, resumed};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
