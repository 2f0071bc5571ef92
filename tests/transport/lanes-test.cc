#include "crypto/handshake/data.h"
#include "tests/transport/lane-frames.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

using Kind = Lanes::Event::Kind;

kj::Array<kj::byte> bytesOf(size_t count, kj::byte value = 7) {
  auto bytes = kj::heapArray<kj::byte>(count);
  memset(bytes.begin(), value, count);
  return bytes;
}

// Two ends of a link whose records are delivered at once.
struct TwoEnds {
  Lanes a{true}, b{false};
  std::vector<Lanes::Event> seenByB;

  size_t deliver(size_t most = SIZE_MAX) {
    size_t count = 0;
    for (; count < most; ++count) {
      auto frame = a.next(NOW);
      if (frame == nullptr) break;
      auto& moved = KJ_ASSERT_NONNULL(frame);
      auto event = b.received(static_cast<uint8_t>(moved.type), bodyOf(moved), NOW).value();
      if (event.kind != Kind::NOTHING) seenByB.push_back(event);
    }
    return count;
  }
  void answer() {
    for (;;) {
      auto frame = b.next(NOW);
      if (frame == nullptr) break;
      auto& moved = KJ_ASSERT_NONNULL(frame);
      REQUIRE(a.received(static_cast<uint8_t>(moved.type), bodyOf(moved), NOW));
    }
  }
};

TEST_CASE("a stream opens with its header and carries bytes both ways") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, bytesOf(3, 9)).value();
  REQUIRE(ends.a.write(id, bytesOf(10)) == 10);
  ends.deliver();
  REQUIRE(ends.seenByB.front().kind == Kind::OPENED);
  REQUIRE(ends.b.headerOf(id) == bytesOf(3, 9));
  auto out = bytesOf(20);
  REQUIRE(ends.b.read(id, out) == 10);
  REQUIRE(ends.b.write(id, bytesOf(4)) == 4);
  ends.answer();
  REQUIRE(ends.a.read(id, out) == 4);
}

TEST_CASE("a more urgent lane overtakes bulk after at most one frame") {
  TwoEnds ends;
  auto bulk = ends.a.open(Lane::BULK, nullptr).value();
  auto control = ends.a.open(Lane::CONTROL, nullptr).value();
  ends.deliver();
  ends.a.write(bulk, bytesOf(Lanes::QUEUE_BYTES_MAX));
  ends.deliver(1);
  ends.a.write(control, bytesOf(1));
  auto frame = ends.a.next(NOW);
  REQUIRE(KJ_ASSERT_NONNULL(frame).lane == Lane::CONTROL);
}

TEST_CASE("a full chunk of bulk is padded by nothing") {
  constexpr size_t FRAME = sizeof(StreamId) + Lanes::CHUNK_BYTES_MAX;
  constexpr size_t AROUND = crypto::RECORD_HEADER_BYTES + sizeof(uint32_t) + 16;  // index and tag
  REQUIRE(crypto::dataRecordBytes(FRAME, crypto::Padding::OTHER) == AROUND + (16 << 10));
  REQUIRE(crypto::dataRecordBytes(FRAME + 1, crypto::Padding::OTHER) > AROUND + (64 << 10) - 32);
}

TEST_CASE("streams of one lane take turns") {
  TwoEnds ends;
  auto one = ends.a.open(Lane::BULK, nullptr).value();
  auto two = ends.a.open(Lane::BULK, nullptr).value();
  ends.deliver();
  ends.a.write(one, bytesOf(Lanes::CHUNK_BYTES_MAX * 2));
  ends.a.write(two, bytesOf(Lanes::CHUNK_BYTES_MAX * 2));
  ends.seenByB.clear();
  ends.deliver(4);
  REQUIRE(ends.seenByB[0].stream != ends.seenByB[1].stream);
  REQUIRE(ends.seenByB[1].stream != ends.seenByB[2].stream);
}

TEST_CASE("a sender without credit waits until the receiver has read") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::BULK, nullptr).value();
  for (int i = 0; i < 4; ++i) {
    ends.a.write(id, bytesOf(Lanes::QUEUE_BYTES_MAX));
    ends.deliver();
  }
  REQUIRE(ends.deliver() == 0);
  auto out = bytesOf(Lanes::WINDOW_BYTES);
  REQUIRE(ends.b.read(id, out) == Lanes::WINDOW_BYTES);
  ends.answer();
  REQUIRE(ends.deliver() > 0);
}

TEST_CASE("a peer that sends more than it was granted ends the link") {
  Lanes lanes(true);
  FlatWriter open, bytes;
  open.u32(2).u8(3).u32(1000).var16(nullptr);
  REQUIRE(lanes.received(8, open.asBytes(), NOW));
  bytes.u32(2).bytes(bytesOf(Lanes::WINDOW_BYTES + 1));
  REQUIRE(lanes.received(4, bytes.asBytes(), NOW).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a small write is coalesced with the next into one frame") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, nullptr).value();
  ends.deliver();
  for (int i = 0; i < 100; ++i) ends.a.write(id, bytesOf(8));
  REQUIRE(ends.deliver() == 1);
}

TEST_CASE("the end of a stream comes behind its last byte") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, nullptr).value();
  ends.a.write(id, bytesOf(5));
  ends.a.finish(id);
  ends.deliver();
  REQUIRE_FALSE(ends.b.atEnd(id));
  auto out = bytesOf(5);
  ends.b.read(id, out);
  REQUIRE(ends.b.atEnd(id));
}

TEST_CASE("a finished stream whose owner is gone is still sent to its end") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, nullptr).value();
  ends.a.write(id, bytesOf(5));
  ends.a.finish(id);
  ends.a.release(id);
  ends.deliver();
  auto out = bytesOf(5);
  REQUIRE(ends.b.read(id, out) == 5);
  REQUIRE(ends.b.atEnd(id));
  REQUIRE_FALSE(ends.a.isOpen(id));
}

TEST_CASE("an unfinished stream whose owner is gone is reset") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, nullptr).value();
  ends.deliver();
  ends.a.release(id);
  ends.deliver();
  REQUIRE(ends.seenByB.back().kind == Kind::RESET);
  REQUIRE_FALSE(ends.b.isOpen(id));
}

TEST_CASE("bytes that cross a reset are dropped and end nothing") {
  TwoEnds ends;
  auto id = ends.a.open(Lane::INTERACTIVE, nullptr).value();
  ends.deliver();
  ends.b.write(id, bytesOf(5));
  ends.a.reset(id, Errc::STALE);
  ends.answer();
}

TEST_CASE("a stream of the wrong side, opened twice or on no lane is refused") {
  Lanes lanes(true);
  auto refused = [&](uint32_t id, uint8_t lane) {
    FlatWriter open;
    open.u32(id).u8(lane).u32(1).var16(nullptr);
    return !lanes.received(8, open.asBytes(), NOW).has_value();
  };
  REQUIRE(refused(1, 0));
  REQUIRE(refused(2, 4));
  REQUIRE_FALSE(refused(2, 0));
  REQUIRE(refused(2, 0));
}

TEST_CASE("frames for streams that never were are refused") {
  Lanes lanes(true);
  for (uint8_t type: {4, 9, 10, 11, 23}) {
    FlatWriter body;
    body.u32(2);
    if (type == 9) body.u64(0).u32(1);
    if (type == 11) body.u16(16);
    REQUIRE_FALSE(lanes.received(type, body.asBytes(), NOW).has_value());
  }
}

TEST_CASE("a peer cannot open more streams than the limit") {
  Lanes lanes(true);
  Result<Lanes::Event> last;
  for (StreamId id = 2; id <= 2 * (Lanes::STREAMS_MAX + 1); id += 2) {
    FlatWriter open;
    open.u32(id).u8(0).u32(1).var16(nullptr);
    last = lanes.received(8, open.asBytes(), NOW);
  }
  REQUIRE(last.error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a peer that opens streams to have them reset is refused before the resets fill memory") {
  Lanes ours(false);
  auto open = [&](uint32_t id) {
    FlatWriter body;
    body.u32(id).u8(static_cast<uint8_t>(Lane::INTERACTIVE)).u32(0).var16(nullptr);
    return ours.received(static_cast<uint8_t>(LaneFrame::OPEN), body.finish(), NOW);
  };
  uint32_t id = 1;
  for (size_t i = 0; i < Lanes::URGENT_MAX; ++i, id += 2) {
    REQUIRE(open(id));
    ours.reset(id, Errc::STALE);
  }
  REQUIRE(open(id).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(ours.open(Lane::BULK, nullptr).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(ours.next(NOW) != nullptr);
  REQUIRE(ours.open(Lane::BULK, nullptr));
}

TEST_CASE("more credit than a stream can have is refused") {
  Lanes lanes(true);
  FlatWriter much, open, credit;
  much.u32(2).u8(0).u32(Lanes::WINDOW_BYTES_MAX + 1).var16(nullptr);
  REQUIRE(lanes.received(8, much.asBytes(), NOW).error().code == Errc::LIMIT_EXCEEDED);
  open.u32(2).u8(0).u32(Lanes::WINDOW_BYTES_MAX).var16(nullptr);
  REQUIRE(lanes.received(8, open.asBytes(), NOW));
  credit.u32(2).u64(0).u32(Lanes::WINDOW_BYTES_MAX + 1);
  REQUIRE(lanes.received(9, credit.asBytes(), NOW).error().code == Errc::LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace hearth::transport
