// Lanes that go on over another carrier: what was on its way is lost, and nothing else.
#include "tests/transport/lane-frames.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

namespace hearth::transport {
namespace {

using Kind = Lanes::Event::Kind;

kj::byte byteAt(StreamId id, bool fromInitiator, uint64_t offset) {
  return static_cast<kj::byte>(id * 37 + offset * 11 + (offset >> 7) * 3 + fromInitiator);
}

// One side: its lanes, what its owner does with them, and what it has sent that has not arrived.
struct Side {
  bool initiator;
  Lanes lanes;
  std::deque<CarriedFrame> onItsWay;
  struct Use {
    uint64_t toWrite = 0, written = 0, read = 0;
    bool finished = false, ended = false;
  };
  std::map<StreamId, Use> uses;
  std::set<StreamId> reset;
  size_t overOnes = 0;  // streams that were written and read to their ends

  explicit Side(bool initiator): initiator(initiator), lanes(initiator) {}

  void take(const Lanes::Event& event, uint64_t toWrite) {
    if (event.kind == Kind::OPENED) uses[event.stream].toWrite = toWrite;
    if (event.kind == Kind::RESET) {
      uses.erase(event.stream);
      reset.insert(event.stream);
    }
  }
};

// Two sides and a wire between them that is cut.
struct CutWire {
  std::mt19937 random;
  Side a{true}, b{false};
  size_t cuts = 0, lost = 0;

  explicit CutWire(uint32_t seed): random(seed) {}

  uint32_t draw(uint32_t most) { return static_cast<uint32_t>(random() % (most + 1)); }
  Side& other(Side& side) { return &side == &a ? b : a; }

  void open(Side& side) {
    auto lane = static_cast<Lane>(draw(3));
    kj::byte header[] = {static_cast<kj::byte>(draw(255))};
    if (auto id = side.lanes.open(lane, header); id) side.uses[*id].toWrite = draw(600'000);
  }
  void write(Side& side, StreamId id, Side::Use& use) {
    auto bytes =
        kj::heapArray<kj::byte>(std::min<uint64_t>(draw(40'000), use.toWrite - use.written));
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = byteAt(id, side.initiator, use.written + i);
    use.written += side.lanes.write(id, bytes);
    if (use.written < use.toWrite || use.finished) return;
    side.lanes.finish(id);
    use.finished = true;
  }
  void read(Side& side, StreamId id, Side::Use& use) {
    auto room = kj::heapArray<kj::byte>(draw(60'000));
    auto got = side.lanes.read(id, room);
    for (size_t i = 0; i < got; ++i)
      KJ_ASSERT(room[i] == byteAt(id, !side.initiator, use.read + i), id, use.read + i);
    use.read += got;
    use.ended = side.lanes.atEnd(id);
  }
  void use(Side& side) {
    for (auto next = side.uses.begin(); next != side.uses.end();) {
      auto& [id, use] = *next++;
      write(side, id, use);
      read(side, id, use);
      if (!use.finished || !use.ended) continue;
      ++side.overOnes;
      side.lanes.release(id);
      side.uses.erase(id);
    }
  }
  void send(Side& side, size_t most) {
    for (size_t i = 0; i < most; ++i) {
      KJ_IF_MAYBE(frame, carriedFrom(side.lanes)) {
        side.onItsWay.push_back(kj::mv(*frame));
      } else {
        return;
      }
    }
  }
  void deliver(Side& from, size_t most) {
    auto& to = other(from);
    for (; most > 0 && !from.onItsWay.empty(); --most) {
      auto frame = kj::mv(from.onItsWay.front());
      from.onItsWay.pop_front();
      auto event = to.lanes.received(frame.type, frame.body, NOW);
      KJ_ASSERT(event.has_value(), event.error().because, frame.type);
      to.take(*event, draw(600'000));
    }
  }
  // What a cut leaves is what each side tells the other, as bytes.
  void cut() {
    ++cuts;
    lost += a.onItsWay.size() + b.onItsWay.size();
    a.onItsWay.clear();
    b.onItsWay.clear();
    auto ofA = readLaneStates(encode(a.lanes.states())).value();
    auto ofB = readLaneStates(encode(b.lanes.states())).value();
    // An owner may read and write before the answer comes.
    if (draw(1) == 0) use(a);
    resume(a, ofB);
    resume(b, ofA);
  }
  void resume(Side& side, const LaneStates& peer) {
    auto events = side.lanes.resume(peer);
    KJ_ASSERT(events.has_value(), events.error().because);
    for (auto& event: *events) side.take(event, 0);
  }
  void step(Side& side) {
    use(side);
    send(side, draw(12));
    deliver(side, draw(12));
  }
  bool busy() const { return !a.uses.empty() || !b.uses.empty(); }
};

TEST_CASE("whatever is cut when, every byte of a resumed link arrives once and in order") {
  constexpr uint32_t SEEDS = 1'000;
  size_t cuts = 0, lost = 0, over = 0;
  for (uint32_t seed = 1; seed <= SEEDS; ++seed) {
    INFO("seed " << seed);
    CutWire wire(seed);
    auto streams = 1 + wire.draw(4);
    for (uint32_t i = 0; i < streams; ++i) wire.open(wire.draw(1) == 0 ? wire.a : wire.b);
    size_t turns = 0;
    for (; wire.busy(); ++turns) {
      KJ_ASSERT(turns < 5'000, "the streams do not come to their ends", seed);
      wire.step(wire.draw(1) == 0 ? wire.a : wire.b);
      if (wire.draw(5) == 0) wire.cut();
    }
    KJ_ASSERT(wire.a.overOnes == streams && wire.b.overOnes == streams, seed);
    KJ_ASSERT(wire.a.reset.empty() && wire.b.reset.empty(), seed);
    cuts += wire.cuts;
    lost += wire.lost;
    over += wire.a.overOnes;
  }
  // The faults came.
  REQUIRE(cuts > 5 * SEEDS);
  REQUIRE(lost > 5 * SEEDS);
  REQUIRE(over > 2 * SEEDS);
}

TEST_CASE("a stream that one side reset while nothing went through is gone on both") {
  CutWire wire(1);
  wire.open(wire.a);
  wire.send(wire.a, 1);
  wire.deliver(wire.a, 1);
  wire.b.lanes.reset(1, Errc::STALE);
  wire.b.uses.clear();
  wire.send(wire.b, 5);
  REQUIRE(wire.b.onItsWay.size() == 1);
  wire.cut();
  REQUIRE(wire.a.reset.contains(1));
  REQUIRE_FALSE(wire.a.lanes.isOpen(1));
  REQUIRE(wire.a.lanes.next(NOW) == nullptr);
}

TEST_CASE("a stream that the peer never heard of is opened again, with its header and its bytes") {
  CutWire wire(2);
  auto id = wire.a.lanes.open(Lane::INTERACTIVE, kj::heapArray<kj::byte>({4, 5})).value();
  wire.a.lanes.write(id, kj::heapArray<kj::byte>({1, 2, 3}));
  wire.a.lanes.finish(id);
  wire.send(wire.a, 5);
  REQUIRE(wire.a.onItsWay.size() == 3);
  wire.cut();
  wire.send(wire.a, 5);
  wire.deliver(wire.a, 5);
  kj::byte bytes[8];
  REQUIRE(wire.b.lanes.headerOf(id) == kj::heapArray<kj::byte>({4, 5}));
  REQUIRE(wire.b.lanes.read(id, bytes) == 3);
  REQUIRE(wire.b.lanes.atEnd(id));
}

TEST_CASE("a peer whose states cannot be those of this link is refused") {
  auto refused = [](StreamState state, StreamId newest) {
    CutWire wire(3);
    auto id = wire.a.lanes.open(Lane::INTERACTIVE, nullptr).value();
    wire.a.lanes.write(id, kj::heapArray<kj::byte>(100));
    wire.send(wire.a, 5);
    auto resumed = wire.a.lanes.resume({newest, {state}});
    return !resumed && resumed.error().code == Errc::INTEGRITY_FAILED;
  };
  auto granted = Lanes::WINDOW_BYTES;
  REQUIRE_FALSE(refused({1, 100, 0, granted, false}, 1));
  REQUIRE(refused({1, 101, 0, granted, false}, 1));         // more than was sent
  REQUIRE(refused({1, 100, 0, granted - 1, false}, 1));     // credit taken back
  REQUIRE(refused({1, 100, 0, granted, true}, 1));          // an end that was not sent
  REQUIRE(refused({1, 100, 0, granted, false}, 3));         // a stream that was not opened
  REQUIRE(refused({1, 100, 0, UINT64_MAX / 2, false}, 1));  // more credit than there is
}

TEST_CASE("states that do not parse are refused") {
  auto good = encode({5, {{1, 10, 3, 20, true}, {2, 0, 0, 9, false}}});
  REQUIRE(
      readLaneStates(good).value() == LaneStates{5, {{1, 10, 3, 20, true}, {2, 0, 0, 9, false}}});
  REQUIRE_FALSE(readLaneStates(good.slice(0, good.size() - 1)));
  REQUIRE_FALSE(readLaneStates(encode({5, {{2, 0, 0, 9, false}, {2, 0, 0, 9, false}}})));
  REQUIRE_FALSE(readLaneStates(encode({5, {{2, 3, 4, 9, false}}})));   // read before it came
  REQUIRE_FALSE(readLaneStates(encode({5, {{2, 10, 4, 9, false}}})));  // more than was granted
  good[good.size() - 1] = 2;
  REQUIRE_FALSE(readLaneStates(good));
}

}  // namespace
}  // namespace hearth::transport
