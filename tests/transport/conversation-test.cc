#include "tests/transport/datagram-wire.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::transport {
namespace {

using Side = DatagramWire::Side;
constexpr auto CALLER = DatagramWire::CALLER, CALLED = DatagramWire::CALLED;
constexpr auto MS = kj::MILLISECONDS;
constexpr auto S = kj::SECONDS;

// A handshake of one message each way over the stream, as a link has it, then the keys.
void shakeHands(DatagramWire& wire) {
  constexpr size_t MESSAGE = 1'500;
  kj::byte room[MESSAGE] = {};
  wire.sides[CALLER].write(kj::arrayPtr(room, MESSAGE));
  auto readAll = [&](Side side) {
    size_t got = 0;
    auto until = wire.now + 60 * S;
    while (got < MESSAGE) {
      got += wire.sides[side].read(kj::arrayPtr(room, MESSAGE - got));
      if (got == MESSAGE) break;
      KJ_REQUIRE(wire.step(until), "the handshake does not get through");
    }
  };
  readAll(CALLED);
  wire.sides[CALLED].write(kj::arrayPtr(room, MESSAGE));
  wire.secure(CALLED);
  readAll(CALLER);
  wire.secure(CALLER);
}

struct Exchange {
  DatagramWire wire;
  Stream there, back;

  explicit Exchange(uint64_t seed, Faults faults = {}, uint64_t size = 40'000)
      : wire(seed, faults),
        there{wire, CALLER, size},
        back{wire, CALLED, size} {
    shakeHands(wire);
  }
  // Whether all arrives in that time.
  bool run(kj::Duration most) {
    auto until = wire.now + most;
    do {
      there.pump();
      back.pump();
      if (there.isDone() && back.isDone()) return there.correct && back.correct;
    } while (wire.step(until));
    return false;
  }
};

void write(DatagramWire& wire, Side side, kj::StringPtr text) {
  REQUIRE(wire.sides[side].write(text.asBytes()) == text.size());
}

std::string readText(DatagramWire& wire, Side side) {
  char room[100];
  auto count = wire.sides[side].read(kj::arrayPtr(reinterpret_cast<kj::byte*>(room), sizeof(room)));
  return std::string(room, count);
}

TEST_CASE("every byte arrives once and in order over a bad wire, 1,000 seeds") {
  uint64_t lost = 0, refused = 0, changes = 0, replays = 0;
  for (uint64_t seed = 1; seed <= 1'000; ++seed) {
    auto loss = static_cast<uint32_t>(50 + seed % 4 * 50);  // 5 to 20 %
    Exchange exchange(seed, {loss, 50, 200, 50, 50});
    bool arrived = exchange.run(600 * S);
    CAPTURE(seed);
    if (!arrived) FAIL("not every byte arrived");
    lost += exchange.wire.lost;
    refused += exchange.wire.refused;
    changes += exchange.wire.changes;
    replays += exchange.wire.replays;
  }
  REQUIRE((lost > 10'000 && changes > 1'000 && replays > 1'000));  // the faults came
  REQUIRE(refused > changes);
}

TEST_CASE("a NAT that forgets the caller in mid-stream costs a moment and no byte, 200 seeds") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Exchange exchange(seed, {50, 50, 100, 0, 0}, 400'000);
    CAPTURE(seed);
    exchange.run(100 * MS);
    REQUIRE(!exchange.there.isDone());
    auto before = exchange.wire.places[CALLER];
    exchange.wire.places[CALLER] = DatagramWire::place(3);
    if (!exchange.run(600 * S)) FAIL("not every byte arrived");
    REQUIRE(before != DatagramWire::place(3));
    REQUIRE(exchange.wire.sides[CALLED].path() == DatagramWire::place(3));
  }
}

TEST_CASE(
    "a stream without faults fills a path in a few round trips, with little beyond its bytes") {
  Exchange exchange(1, {}, 1'000'000);
  auto begun = exchange.wire.now;
  REQUIRE(exchange.run(10 * S));
  REQUIRE(exchange.wire.now - begun < 400 * MS);
  REQUIRE(exchange.wire.bytesSent[CALLER] < 1'100'000);
}

TEST_CASE("a handshake of one message each way takes one round trip") {
  DatagramWire wire(1);
  auto begun = wire.now;
  shakeHands(wire);
  REQUIRE(wire.now - begun == 2 * DatagramWire::LATENCY);
}

TEST_CASE("a conversation with nothing to say is silent and wakes nobody") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  write(wire, CALLER, "hello");
  wire.run(5 * S);
  REQUIRE(readText(wire, CALLED) == "hello");
  for (auto& side: wire.sides) REQUIRE(side.wakeAt() == nullptr);
  auto sent = wire.sent;
  wire.run(3'600 * S);
  REQUIRE(wire.sent == sent);
}

TEST_CASE("a keep-alive is sent as often as was asked, and no longer than it is") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.run(5 * S);
  auto sent = wire.sent;
  wire.sides[CALLER].keepAlive(20 * S);
  wire.run(100 * S);
  REQUIRE((wire.sent - sent >= 8 && wire.sent - sent <= 12));  // and its acknowledgement
  wire.sides[CALLER].keepAlive(nullptr);
  sent = wire.sent;
  wire.run(100 * S);
  REQUIRE(wire.sent == sent);
}

TEST_CASE("a datagram that was changed on the way is dropped and costs nothing") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.faults.changed = 1'000;  // besides each honest one
  write(wire, CALLER, "hello");
  wire.run(1 * S);
  REQUIRE(wire.changes > 0);
  REQUIRE(wire.refused == wire.changes);
  REQUIRE(readText(wire, CALLED) == "hello");
}

TEST_CASE("a replayed datagram neither counts nor moves the path") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.faults.replayed = 1'000;
  write(wire, CALLER, "hello");
  wire.run(1 * S);
  REQUIRE(wire.replays > 0);
  REQUIRE(readText(wire, CALLED) == "hello");
  REQUIRE(readText(wire, CALLED) == "");
  REQUIRE(wire.sides[CALLED].path() == DatagramWire::place(1));
}

// An attacker who is quicker than the honest way, but cannot answer what is asked where he is.
TEST_CASE("a datagram that an attacker carries elsewhere first does not move the path") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.run(1 * S);
  write(wire, CALLER, "hello");
  wire.send(CALLER);
  REQUIRE(wire.flying.size() == 1);
  wire.flying.begin()->second.from = DatagramWire::place(666);
  wire.run(5 * S);
  REQUIRE(readText(wire, CALLED) == "hello");
  REQUIRE(wire.sides[CALLED].path() == DatagramWire::place(1));
  REQUIRE(wire.sides[CALLED].wakeAt() == nullptr);  // the stranger's address is forgotten
}

TEST_CASE("before the keys are there no other address is believed") {
  DatagramWire wire(1);
  write(wire, CALLER, "hello");
  wire.places[CALLER] = DatagramWire::place(3);
  wire.run(1 * S);
  REQUIRE(wire.refused > 0);
  REQUIRE(readText(wire, CALLED) == "");
}

TEST_CASE("once both have the keys, the early ones open nothing") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.run(1 * S);
  write(wire, CALLER, "x");  // the called side has heard the caller under its keys
  wire.run(1 * S);
  // Somebody who knows the early keys, and numbers that are free.
  kj::byte room[DATAGRAM_BYTES] = {};
  auto out = kj::arrayPtr(room, sizeof(room));
  auto from = DatagramWire::id(CALLER), to = DatagramWire::id(CALLED);
  auto at = writeHeader({PacketKind::OPENING, to, from, 1'000}, out);
  at += writeFrames({.ping = true}, out.slice(at, out.size()));
  auto datagram = out.slice(0, at + TAG_BYTES);
  writeTag(keyOfByte(1), 1'000, datagram);
  auto packet = readPacket(datagram).value();
  REQUIRE(!wire.sides[CALLED].received(packet, datagram, DatagramWire::place(1), wire.now));
  DatagramWire fresh(2);  // where the same packet is good
  REQUIRE(fresh.sides[CALLED].received(packet, datagram, DatagramWire::place(1), fresh.now));
}

TEST_CASE("a stranger gets a window for a handshake and no more, a peer with keys a wide one") {
  DatagramWire wire(1);
  auto bytes = kj::heapArray<kj::byte>(100'000);
  wire.sides[CALLER].write(bytes);
  wire.run(20 * S);
  Holdings holdings;
  wire.sides[CALLED].addTo(holdings);
  REQUIRE(holdings[1].now == Incoming::WINDOW_BYTES_EARLY);
}

TEST_CASE("a peer that falls silent while it owes an answer is given up after half a minute") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.run(1 * S);
  wire.faults.lost = 1'000;
  write(wire, CALLER, "hello?");
  wire.run(25 * S);
  REQUIRE(!wire.sides[CALLER].isOver());
  wire.run(75 * S);
  REQUIRE(wire.sides[CALLER].isOver());
  REQUIRE(wire.sides[CALLER].wakeAt() == nullptr);
}

TEST_CASE("a reset ends both sides, and says so once") {
  Exchange exchange(1);
  auto& wire = exchange.wire;
  wire.run(1 * S);
  auto sent = wire.sent;
  wire.sides[CALLED].reset();
  wire.run(1 * S);
  REQUIRE(wire.sides[CALLER].isOver());
  REQUIRE(wire.sent == sent + 1);
}

TEST_CASE("what is written waits for a reader, within the window and the buffer") {
  Exchange exchange(1, {}, 10'000'000);
  auto& wire = exchange.wire;
  auto until = wire.now + 10 * S;
  auto chunk = kj::heapArray<kj::byte>(64 << 10);
  uint64_t written = 0;
  do {
    while (auto taken = wire.sides[CALLER].write(chunk)) written += taken;
  } while (wire.step(until));
  REQUIRE(written <= Incoming::WINDOW_BYTES + Outgoing::UNSENT_BYTES_MAX + 3'000);
  REQUIRE(written >= Incoming::WINDOW_BYTES);
  Holdings holdings;
  for (auto& side: wire.sides) side.addTo(holdings);
  for (auto& holding: holdings) REQUIRE(holding.now <= holding.most);
}

TEST_CASE("an authentic peer that breaks the rules is reset") {
  auto breach = GENERATE(0, 1, 2, 3);
  DatagramWire wire(1);
  wire.secure(CALLED);
  Frames frames;
  kj::byte bytes[] = {1};
  if (breach == 0) {  // acknowledges what was never sent
    Ack ack{.newest = 7, .count = 1};
    ack.runs[0] = {7, 8};
    frames.ack = ack;
  } else if (breach == 1) {  // writes beyond the window
    frames.stream = true;
    frames.offset = Incoming::WINDOW_BYTES + 1;
    frames.bytes = kj::arrayPtr(bytes, 1);
  }
  kj::byte room[DATAGRAM_BYTES] = {};
  auto out = kj::arrayPtr(room, sizeof(room));
  auto at = writeHeader({PacketKind::SEALED, DatagramWire::id(CALLED), {}, 5}, out);
  if (breach == 2) {
    room[at++] = 128;  // an END without a STREAM
  } else if (breach == 3) {
    room[at++] = 2;  // a CREDIT without its number
  } else {
    at += writeFrames(frames, out.slice(at, out.size()));
  }
  if (frames.stream) room[at++] = bytes[0];
  auto datagram = out.slice(0, at + TAG_BYTES);
  writeTag(keyOfByte(3), 5, datagram);
  auto packet = readPacket(datagram).value();
  REQUIRE(wire.sides[CALLED].received(packet, datagram, DatagramWire::place(1), wire.now));
  REQUIRE(wire.sides[CALLED].isOver());
}

}  // namespace
}  // namespace hearth::transport
