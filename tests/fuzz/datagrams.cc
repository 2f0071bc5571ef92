// F1, the datagrams that carry records: packets and their frames, a conversation with an authentic peer that
// says anything, and the call at the door.

#include "tests/fuzz/target.h"
#include "tests/transport/datagram-wire.h"
#include "transport/datagram/greeting.h"

#include <algorithm>

namespace hearth::fuzz {
namespace {

using namespace transport;

Buffer written(const Frames& frames) {
  auto out = kj::heapArray<kj::byte>(framesBytes(frames) + frames.bytes.size());
  auto size = writeFrames(frames, out);
  std::ranges::copy(frames.bytes, out.begin() + size);
  return out;
}

// What can be read is written as it was, but for bits of no meaning.
void frames(FlatReader& in) {
  auto read = readFrames(in.remaining());
  if (!read) return;
  auto first = written(*read);
  auto again = readFrames(first);
  expect(again.has_value() && written(*again) == first);
}

void packet(FlatReader& in) {
  auto datagram = in.remaining();
  auto read = readPacket(datagram);
  if (!read) return;
  (void)tagHolds(keyOfByte(1), read->number, datagram);
  kj::byte room[OPENING_HEADER_BYTES];
  auto size = writeHeader(*read, kj::arrayPtr(room, sizeof(room)));
  expect(kj::arrayPtr(room, size) == datagram.slice(0, size));
}

// A peer that holds the keys says anything, in any order of numbers; time passes.
void conversation(FlatReader& in) {
  DatagramWire wire(1);
  auto& side = wire.sides[DatagramWire::CALLED];
  wire.secure(DatagramWire::CALLED);
  kj::byte room[DATAGRAM_BYTES];
  while (in.good() && in.remaining().size() > 0) {
    auto how = in.u8();
    wire.now += in.u8() * kj::MILLISECONDS;
    auto body = in.var8();
    bool late = how & 1;
    uint64_t number = how >> 2;
    FlatWriter out;
    out.bytes(zeros(late ? HEADER_BYTES : OPENING_HEADER_BYTES))
        .bytes(body)
        .bytes(zeros(TAG_BYTES));
    auto datagram = out.finish();
    writeHeader(
        {late ? PacketKind::SEALED : PacketKind::OPENING, DatagramWire::id(DatagramWire::CALLED),
            DatagramWire::id(DatagramWire::CALLER), number},
        kj::arrayPtr(room, sizeof(room)));
    memcpy(datagram.begin(), room, datagram.size() - body.size() - TAG_BYTES);
    writeTag(keyOfByte(late ? 3 : 1), number, datagram);
    auto read = readPacket(datagram);
    expect(read.has_value());
    auto from = DatagramWire::place(how & 2 ? 1 : 5);
    (void)side.received(*read, datagram, from, wire.now);
    side.write(body);
    side.tick(wire.now);
    for (int i = 0; i < 100; ++i) {
      if (side.next(kj::arrayPtr(room, sizeof(room)), wire.now) == nullptr) break;
    }
    (void)side.read(kj::arrayPtr(room, sizeof(room)));
    Holdings holdings;
    side.addTo(holdings);
    for (auto& holding: holdings) expect(holding.now <= holding.most);
  }
}

void door(FlatReader& in) {
  LuckyEntropy entropy(3);
  auto gate = crypto::GateKeys::forLink(entropy.draw<crypto::DhPublic>());
  auto now = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
  Doorkeeper keeper(gate, entropy, now);
  Caller caller(gate, entropy);
  auto place = DatagramWire::place(7);
  (void)keeper.answer(damaged(caller.call(), in), place, now);
  auto cookie = keeper.answer(caller.call(), place, now);
  auto& sealed = KJ_ASSERT_NONNULL(cookie);
  (void)caller.takeCookie(damaged(sealed, in));
  auto known = caller.takeCookie(sealed);
  expect(known.has_value());
  auto opening = kj::heapArray<kj::byte>(OPENING_HEADER_BYTES + TAG_BYTES);
  writeHeader({PacketKind::OPENING, known->called, known->caller, 0}, opening);
  writeTag(known->keys.sending, 0, opening);
  auto read = readPacket(opening);
  expect(keeper.admit(*read, opening, place, now) != nullptr);
  auto other = damaged(opening, in);
  if (auto changed = readPacket(other)) (void)keeper.admit(*changed, other, place, now);
}

constexpr void (*WAYS[])(FlatReader&) = {frames, packet, conversation, door};

}  // namespace
}  // namespace hearth::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return hearth::fuzz::goOneOf(hearth::fuzz::WAYS, data, size);
}
