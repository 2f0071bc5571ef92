// Frames with deadlines: late means dropped and counted, on whichever side they are late.
#include "tests/transport/lane-frames.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

using Kind = Lanes::Event::Kind;
constexpr kj::Duration SOON = 100 * kj::MILLISECONDS;

// Two ends with clocks of their own, and a way between them that takes its time.
struct LivePair {
  Lanes a{true}, b{false};
  kj::TimePoint now = NOW;
  kj::Duration clockOfBAhead = 7 * kj::HOURS + 3 * kj::MILLISECONDS;
  kj::Duration way = 5 * kj::MILLISECONDS;
  StreamId id;

  LivePair(): id(a.open(Lane::LIVE, nullptr).value()) {
    a.roundTrip(2 * way);
    b.roundTrip(2 * way);
    carry();
  }
  kj::TimePoint atB() const { return now + clockOfBAhead; }
  uint64_t write(kj::byte value, kj::Duration within = SOON) {
    kj::byte bytes[] = {value};
    return a.writeFrame(id, bytes, now + within, now);
  }
  // All that one end has, over the way; the clocks go on meanwhile.
  size_t carry() {
    std::deque<CarriedFrame> under;
    for (;;) {
      KJ_IF_MAYBE(frame, carriedFrom(a, now)) {
        under.push_back(kj::mv(*frame));
      } else {
        break;
      }
    }
    now += way;
    for (auto& frame: under) REQUIRE(b.received(frame.type, frame.body, atB()).has_value());
    return under.size();
  }
  void answer() {
    for (;;) {
      KJ_IF_MAYBE(frame, carriedFrom(b, atB())) {
        REQUIRE(a.received(frame->type, frame->body, now).has_value());
      } else {
        return;
      }
    }
  }
  kj::Maybe<LiveFrame> read() { return b.readFrame(id, atB()); }
};

kj::byte valueOf(kj::Maybe<LiveFrame>& frame) { return KJ_ASSERT_NONNULL(frame).bytes[0]; }

TEST_CASE("a frame arrives whole, with its number, whatever the clocks of the two say") {
  LivePair pair;
  REQUIRE(pair.write(11) == 1);
  REQUIRE(pair.write(12) == 2);
  pair.carry();
  auto first = pair.read(), second = pair.read();
  REQUIRE(valueOf(first) == 11);
  REQUIRE(valueOf(second) == 12);
  REQUIRE(KJ_ASSERT_NONNULL(second).number == 2);
  REQUIRE(KJ_ASSERT_NONNULL(second).skipped == 0);
  REQUIRE(pair.read() == nullptr);
  REQUIRE(pair.a.live().sent == 2);
  REQUIRE(pair.b.live().received == 2);
}

TEST_CASE(
    "a frame whose deadline passes before it is sealed is dropped, and leaves a gap to be seen") {
  LivePair pair;
  pair.write(1);
  pair.now += SOON;
  pair.write(2);
  REQUIRE(pair.carry() == 1);
  auto frame = pair.read();
  REQUIRE(valueOf(frame) == 2);
  REQUIRE(KJ_ASSERT_NONNULL(frame).skipped == 1);
  REQUIRE(pair.a.live().dropped == 1);
  REQUIRE(pair.b.live().missing == 1);
}

TEST_CASE(
    "a frame that was held up on the way is late at the receiver, one that was not is in time") {
  LivePair pair;
  pair.write(1);
  pair.carry();
  REQUIRE(pair.read() != nullptr);
  pair.way = SOON + 5 * kj::MILLISECONDS;
  pair.write(2);
  pair.carry();
  REQUIRE(pair.read() == nullptr);
  REQUIRE(pair.b.live().late == 1);
  pair.way = SOON - 10 * kj::MILLISECONDS;
  pair.write(3);
  pair.carry();
  auto frame = pair.read();
  REQUIRE(valueOf(frame) == 3);
  REQUIRE(KJ_ASSERT_NONNULL(frame).skipped == 1);
  REQUIRE(pair.b.live().missing == 0);
}

TEST_CASE("half of the round trip counts as time on the way") {
  LivePair pair;
  pair.write(1, 4 * kj::MILLISECONDS);
  pair.carry();
  REQUIRE(pair.read() == nullptr);
  REQUIRE(pair.b.live().late == 1);
}

TEST_CASE("a frame that its reader leaves lying until it is late is not given any more") {
  LivePair pair;
  pair.write(1);
  pair.carry();
  pair.now += SOON;
  REQUIRE(pair.read() == nullptr);
  REQUIRE(pair.b.live().late == 1);
}

TEST_CASE("who is not read keeps the newest frames, and a reader who returns gets these") {
  LivePair pair;
  for (size_t i = 0; i < LiveLimits::UNREAD_MAX; ++i) pair.write(0, LiveLimits::DEADLINE_MAX);
  pair.carry();
  for (size_t i = 0; i <= LiveLimits::QUEUED_MAX; ++i)
    pair.write(static_cast<kj::byte>(1 + i), LiveLimits::DEADLINE_MAX);
  REQUIRE(pair.carry() == 0);
  REQUIRE(pair.a.live().dropped == 1);
  for (size_t i = 0; i < LiveLimits::UNREAD_MAX; ++i) REQUIRE(pair.read() != nullptr);
  pair.answer();
  REQUIRE(pair.carry() > 0);
  auto frame = pair.read();
  REQUIRE(valueOf(frame) == 2);
  REQUIRE(KJ_ASSERT_NONNULL(frame).skipped == 1);
}

TEST_CASE("the sender is told how many of its frames were late") {
  LivePair pair;
  pair.write(0);
  pair.carry();
  REQUIRE(pair.read() != nullptr);
  pair.way = 3 * SOON;
  for (size_t i = 1; i < LiveLimits::UNREAD_MAX; ++i) pair.write(0);
  pair.carry();
  while (pair.read() != nullptr) {}
  pair.answer();
  REQUIRE(pair.a.live().lateThere == LiveLimits::UNREAD_MAX - 1);
}

TEST_CASE("the end of a stream waits for no frame that may not be sent") {
  LivePair pair;
  for (size_t i = 0; i < LiveLimits::UNREAD_MAX; ++i) pair.write(0, LiveLimits::DEADLINE_MAX);
  pair.carry();
  pair.write(1, LiveLimits::DEADLINE_MAX);
  pair.a.finish(pair.id);
  REQUIRE(pair.carry() == 1);
  REQUIRE(pair.a.live().dropped == 1);
  while (pair.read() != nullptr) {}
  REQUIRE(pair.b.atEnd(pair.id));
}

TEST_CASE("frames go before the bytes of their stream, and both arrive") {
  LivePair pair;
  kj::byte bytes[] = {5, 6};
  pair.a.write(pair.id, bytes);
  pair.write(1);
  auto first = pair.a.next(pair.now);
  REQUIRE(KJ_ASSERT_NONNULL(first).type == LaneFrame::FRAME);
  auto second = pair.a.next(pair.now);
  REQUIRE(KJ_ASSERT_NONNULL(second).type == LaneFrame::STREAM);
}

TEST_CASE(
    "after a cut no frame is sent again, and the stream goes on with those that are in time") {
  LivePair pair;
  for (size_t i = 0; i < LiveLimits::UNREAD_MAX; ++i) pair.write(0);
  while (pair.a.next(pair.now) != nullptr) {}  // lost with the carrier
  pair.write(1);
  pair.write(2, 10 * SOON);
  pair.now += 2 * SOON;
  auto ofA = pair.a.states(), ofB = pair.b.states();
  REQUIRE(pair.a.resume(ofB).has_value());
  REQUIRE(pair.b.resume(ofA).has_value());
  REQUIRE(pair.carry() == 1);
  auto frame = pair.read();
  REQUIRE(valueOf(frame) == 2);
  REQUIRE(KJ_ASSERT_NONNULL(frame).skipped == LiveLimits::UNREAD_MAX + 1);
  REQUIRE(pair.b.live().missing == LiveLimits::UNREAD_MAX + 1);
  REQUIRE(pair.a.live().dropped == 1);
}

TEST_CASE("a reader that left frames lying over a cut holds no more than its limit") {
  LivePair pair;
  for (int cut = 0; cut < 2; ++cut) {
    for (size_t i = 0; i < LiveLimits::UNREAD_MAX; ++i)
      pair.write(static_cast<kj::byte>(cut), LiveLimits::DEADLINE_MAX);
    REQUIRE(pair.carry() == LiveLimits::UNREAD_MAX);
    auto ofA = pair.a.states(), ofB = pair.b.states();
    REQUIRE(pair.a.resume(ofB).has_value());
    REQUIRE(pair.b.resume(ofA).has_value());
  }
  size_t given = 0;
  for (;;) {
    auto frame = pair.read();
    if (frame == nullptr) break;
    REQUIRE(valueOf(frame) == 1);
    ++given;
  }
  REQUIRE(given == LiveLimits::UNREAD_MAX);
}

// A peer of nobody's making, on a stream that it has opened.
struct Hostile {
  Lanes lanes{true};

  explicit Hostile(Lane lane = Lane::LIVE) {
    FlatWriter open;
    open.u32(2).u8(static_cast<uint8_t>(lane)).u32(0).var16(nullptr);
    REQUIRE(lanes.received(8, open.asBytes(), NOW));
  }
  Result<Lanes::Event> frame(
      uint64_t number, uint32_t leftUs = 1'000, size_t bytes = 1, uint32_t sentUs = 0) {
    FlatWriter body;
    body.u32(2).u64(number).u32(sentUs).u32(leftUs).bytes(kj::heapArray<kj::byte>(bytes));
    return lanes.received(20, body.asBytes(), NOW);
  }
  Result<Lanes::Event> credit(uint64_t number, uint64_t late = 0) {
    FlatWriter body;
    body.u32(2).u64(number).u64(late);
    return lanes.received(21, body.asBytes(), NOW);
  }
};

TEST_CASE("numbers of frames may jump, and neither repeat nor go back") {
  Hostile peer;
  REQUIRE(peer.frame(5));
  REQUIRE(peer.frame(UINT64_MAX));
  REQUIRE(peer.lanes.live().missing == UINT64_MAX - 2);
  REQUIRE(peer.frame(UINT64_MAX).error().code == Errc::BAD_FORMAT);
  REQUIRE(peer.frame(6).error().code == Errc::BAD_FORMAT);
  REQUIRE(Hostile().frame(0).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a deadline of any value and a clock of any value keep a frame for a minute at most") {
  auto most = static_cast<uint32_t>(LiveLimits::DEADLINE_MAX / kj::MICROSECONDS);
  Hostile peer;
  REQUIRE(peer.frame(1, 0));
  REQUIRE(peer.frame(2, most));
  REQUIRE(peer.frame(3, most, 1, 1u << 31));
  REQUIRE(peer.frame(4, most, 1, UINT32_MAX));
  while (peer.lanes.readFrame(2, NOW + LiveLimits::DEADLINE_MAX + 1 * kj::HOURS) != nullptr) {}
  REQUIRE(peer.lanes.live().late == 4);
  REQUIRE(peer.frame(5, most + 1).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("one frame more than may be unread ends the link, and so does one that is too long") {
  Hostile peer;
  for (uint64_t number = 1; number <= LiveLimits::UNREAD_MAX; ++number) REQUIRE(peer.frame(number));
  REQUIRE(peer.frame(100).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(Hostile().frame(1, 1, Lanes::LIVE_FRAME_BYTES_MAX));
  REQUIRE(
      Hostile().frame(1, 1, Lanes::LIVE_FRAME_BYTES_MAX + 1).error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("frames and credit for them are refused where there are none") {
  REQUIRE(Hostile(Lane::INTERACTIVE).frame(1).error().code == Errc::BAD_FORMAT);
  REQUIRE(Hostile(Lane::BULK).credit(0).error().code == Errc::BAD_FORMAT);
  REQUIRE(Hostile().credit(1).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(Hostile().credit(0, 1).error().code == Errc::LIMIT_EXCEEDED);
  Hostile ended;
  FlatWriter fin;
  fin.u32(2);
  REQUIRE(ended.lanes.received(10, fin.asBytes(), NOW));
  REQUIRE(ended.frame(1).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("credit for frames is not taken back") {
  Hostile peer;
  kj::byte bytes[] = {1};
  for (int i = 0; i < 3; ++i) peer.lanes.writeFrame(2, bytes, NOW + SOON, NOW);
  while (peer.lanes.next(NOW) != nullptr) {}
  REQUIRE(peer.credit(2, 1));
  REQUIRE(peer.credit(1, 1).error().code == Errc::BAD_FORMAT);
  REQUIRE(peer.credit(3, 0).error().code == Errc::BAD_FORMAT);
  REQUIRE(peer.credit(3, 1));
}

TEST_CASE("a clock that drifts, and one that goes around, make no frame late") {
  Transit transit;
  transit.roundTrip(4 * kj::MILLISECONDS);
  auto sent = NOW;
  for (int i = 0; i < 5'000; ++i) {
    sent += 1 * kj::SECONDS;
    auto drift = (sent - NOW) / 5'000;  // 200 millionths
    auto onTheWay = transit.of(Transit::microseconds(sent), sent + drift + 9 * kj::HOURS);
    REQUIRE(onTheWay >= 2 * kj::MILLISECONDS);
    REQUIRE(onTheWay <= 15 * kj::MILLISECONDS);
  }
}

}  // namespace
}  // namespace hearth::transport
