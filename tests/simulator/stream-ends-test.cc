// How connections end and pause: by a close, a reset, a loss of power, sleep, a NAT, another network.

#include "tests/simulator/line.h"

#include <catch2/catch_test_macros.hpp>
#include <linux/tcp.h>

namespace hearth::sim {
namespace {

constexpr auto MS = kj::MILLISECONDS;
constexpr auto S = kj::SECONDS;

TEST_CASE("a peer whose process has ended answers bytes by a reset, a round trip later") {
  Line line;
  line.pair.called = nullptr;
  auto ended = line.read(line.pair.caller, 1);
  line.run(1 * S);
  REQUIRE(**ended == "");
  auto written = line.write(line.pair.caller, "hello");
  auto broken = line.watch(line.pair.caller->whenWriteDisconnected());
  line.run(15 * MS);
  REQUIRE(broken->isOpen());
  line.run(10 * MS);
  REQUIRE(line.took(broken->at) == 1'020 * MS);
  REQUIRE(line.refusesWrite(line.pair.caller));
}

TEST_CASE("what was written before a close arrives, and then the end") {
  Line line;
  auto written = line.write(line.pair.caller, 100'000);
  line.pair.caller = nullptr;
  auto read = line.read(line.pair.called, 200'000);
  line.run(1 * S);
  REQUIRE((**read).size() == 100'000);
}

TEST_CASE("a process that ends with bytes unread resets the connection") {
  Line line;
  auto unread = line.write(line.pair.called, "unread");
  line.run(1 * S);
  auto lost = line.write(line.pair.caller, "lost");
  line.pair.caller = nullptr;
  auto read = line.read(line.pair.called, 1);
  line.run(1 * S);
  REQUIRE(read->isDisconnected());
}

TEST_CASE("bytes that had arrived before a reset can still be read") {
  Line line;
  auto unread = line.write(line.pair.called, "unread");
  auto written = line.write(line.pair.caller, "hello");
  line.run(1 * S);
  line.pair.caller = nullptr;
  line.run(1 * S);
  auto read = line.read(line.pair.called, 5);
  auto next = line.read(line.pair.called, 1);
  line.run(0 * S);
  REQUIRE(**read == "hello");
  REQUIRE(next->isDisconnected());
}

TEST_CASE("a reset that is lost is learned of at the next write") {
  Line line;
  auto unread = line.write(line.pair.called, "unread");
  line.run(1 * S);
  line.terrain.cut(0, 1);
  line.pair.caller = nullptr;
  auto read = line.read(line.pair.called, 1);
  line.run(1 * S);
  line.terrain.mend(0, 1);
  line.run(1 * kj::HOURS);
  REQUIRE(read->isOpen());
  auto written = line.write(line.pair.called, "hello");
  line.run(1 * S);
  REQUIRE(read->isDisconnected());
}

TEST_CASE("an end of one direction leaves the other open") {
  Line line;
  line.pair.caller->shutdownWrite();
  auto ended = line.read(line.pair.called, 1);
  line.run(1 * S);
  REQUIRE(**ended == "");
  auto written = line.write(line.pair.called, "still here");
  auto read = line.read(line.pair.caller, 10);
  line.run(1 * S);
  REQUIRE(**read == "still here");
  REQUIRE(line.refusesWrite(line.pair.caller));
}

// As a device does: off first, then its processes are gone.
void losePower(Line& line) {
  line.boxes[0]->on = false;
  line.terrain.attach(0, {});
  line.pair.caller = nullptr;
}

TEST_CASE("a peer that has lost power is silent for ever") {
  Line line;
  auto read = line.read(line.pair.called, 1);
  auto underWay = line.write(line.pair.caller, "never");
  losePower(line);
  line.run(2 * kj::HOURS);
  REQUIRE(read->isOpen());
}

TEST_CASE("who writes to a peer that has lost power gives up after a quarter of an hour") {
  Line line;
  losePower(line);
  auto written = line.write(line.pair.called, "hello");
  auto broken = line.watch(line.pair.called->whenWriteDisconnected());
  line.run(1 * kj::HOURS);
  REQUIRE(line.took(broken->at) == Flow::GIVE_UP_AFTER);
}

TEST_CASE("a peer that has power again has forgotten the connection and resets it") {
  Line line;
  losePower(line);
  auto read = line.read(line.pair.called, 1);
  auto written = line.write(line.pair.called, "hello");
  line.run(1 * kj::MINUTES);
  line.boxes[0]->on = true;
  line.terrain.attach(0, {0});
  line.run(2 * kj::MINUTES);
  REQUIRE(read->isDisconnected());
}

TEST_CASE("a reader that does not read stops the writer at buffer and window") {
  Line line;
  auto fits = line.write(line.pair.caller, BUFFERED);
  line.run(1 * S);
  REQUIRE(!fits->isOpen());
  auto over = line.write(line.pair.caller, 1);
  line.run(1 * kj::HOURS);
  REQUIRE(over->isOpen());
  auto read = line.read(line.pair.called, BUFFERED + 1);
  line.run(1 * S);
  REQUIRE(!over->isOpen());
  REQUIRE((**read).size() == BUFFERED + 1);
}

TEST_CASE("a writer that is stopped learns that its reader has gone") {
  Line line;
  auto written = line.write(line.pair.caller, 2 * BUFFERED);
  line.run(1 * S);
  line.pair.called = nullptr;
  line.run(1 * S);
  REQUIRE(written->isDisconnected());
}

TEST_CASE("a write that is dropped half way leaves the stream in order") {
  Line line;
  auto dropped = line.write(line.pair.caller, 2 * BUFFERED);
  line.run(1 * S);
  dropped = nullptr;
  auto next = line.write(line.pair.caller, "next");
  auto read = line.read(line.pair.called, BUFFERED + 4);
  line.run(1 * S);
  REQUIRE((**read).ends_with("next"));
}

TEST_CASE("a read that is dropped while it waits takes nothing with it") {
  Line line;
  auto dropped = line.read(line.pair.called, 5);
  line.run(1 * S);
  dropped = nullptr;
  auto written = line.write(line.pair.caller, "hello");
  auto read = line.read(line.pair.called, 5);
  line.run(1 * S);
  REQUIRE(**read == "hello");
}

TEST_CASE("both ends may go at any moment of a transfer") {
  for (int moment = 0; moment < 30; ++moment) {
    Line line;
    auto written = line.write(line.pair.caller, 2 * BUFFERED);
    auto back = line.write(line.pair.called, 2 * BUFFERED);
    line.run(moment * MS);
    written = nullptr;
    back = nullptr;
    line.pair.caller = nullptr;
    line.run(moment * MS / 2);
    line.pair.called = nullptr;
    line.run(1 * kj::HOURS);
  }
}

TEST_CASE("a device that sleeps takes nothing, and everything when it wakes") {
  Line line;
  line.boxes[1]->clock.suspend();
  auto written = line.write(line.pair.caller, "hello");
  auto read = line.read(line.pair.called, 5);
  line.run(5 * kj::MINUTES);
  REQUIRE(read->isOpen());
  line.boxes[1]->clock.resume();
  line.run(2 * kj::MINUTES);
  REQUIRE(**read == "hello");
}

TEST_CASE("who writes to a device that sleeps too long gives up") {
  Line line;
  line.boxes[1]->clock.suspend();
  auto written = line.write(line.pair.caller, "hello");
  auto broken = line.watch(line.pair.caller->whenWriteDisconnected());
  line.run(1 * kj::HOURS);
  REQUIRE(line.took(broken->at) == Flow::GIVE_UP_AFTER + 10 * MS);
}

TEST_CASE("a device that sleeps sends nothing, and loses no patience") {
  auto kind = Wires::lan();
  kind.upBps = 1e3;
  Line line(kind);
  auto written = line.write(line.pair.caller, 10'000);
  auto read = line.read(line.pair.called, 10'000);
  line.run(1 * S);
  line.boxes[0]->clock.suspend();
  line.run(2 * kj::HOURS);
  REQUIRE(read->isOpen());
  line.boxes[0]->clock.resume();
  line.run(1 * S);
  REQUIRE((**read).size() == 10'000);
}

TEST_CASE("a NAT that has forgotten a connection leaves it silent, and calls anew get through") {
  Wires world;
  auto home = world.join(world.lan(), {0});
  auto kind = world.lan();
  kind.letsIn = true;
  auto cloud = world.join(kind, {1});
  auto pair = world.connect(0, 1, cloud);
  world.terrain.rebind(home);
  auto written = world.write(pair.caller, "hello");
  auto read = world.read(pair.called, 5);
  auto broken = world.watch(pair.caller->whenWriteDisconnected());
  auto again = world.call(0, 1, cloud);
  world.run(1 * kj::HOURS);
  REQUIRE(read->isOpen());
  REQUIRE(broken->value != nullptr);
  REQUIRE(again->value != nullptr);
}

TEST_CASE("a NAT that forgets has no say within its own network") {
  Line line;
  line.terrain.rebind(0);
  auto written = line.write(line.pair.caller, "hello");
  auto read = line.read(line.pair.called, 5);
  line.run(1 * S);
  REQUIRE(**read == "hello");
}

TEST_CASE("a device that has walked to another network has lost its address, and its connections") {
  Wires world;
  auto home = world.join(world.lan(), {0});
  auto kind = world.lan();
  kind.letsIn = true;
  auto cloud = world.join(kind, {1});
  auto street = world.join(world.lan(), {});
  auto pair = world.connect(0, 1, cloud);
  world.terrain.attach(0, {street});
  auto written = world.write(pair.caller, "hello");
  auto read = world.read(pair.called, 5);
  world.run(1 * kj::MINUTES);
  REQUIRE(read->isOpen());
  world.terrain.attach(0, {home});
  world.run(2 * kj::MINUTES);
  REQUIRE(**read == "hello");
}

uint32_t rttUsOf(kj::AsyncIoStream& stream) {
  struct tcp_info info = {};
  kj::uint size = sizeof(info);
  stream.getsockopt(6, TCP_INFO, &info, &size);
  return info.tcpi_rtt;
}

TEST_CASE("the kernel's round trip is that of the path, not that of lost packets") {
  Line line;
  REQUIRE(rttUsOf(*line.pair.caller) == 20'000);
  line.terrain.trouble(0, 1).loss = 900;
  auto written = line.write(line.pair.caller, "hello");
  line.run(2 * kj::MINUTES);
  REQUIRE(rttUsOf(*line.pair.caller) == 20'000);
}

TEST_CASE("radios are told of every byte that arrives, once") {
  Line line;
  auto written = line.write(line.pair.caller, 100'000);
  auto read = line.read(line.pair.called, 100'000);
  line.run(1 * S);
  REQUIRE(line.boxes[0]->sent == 100'000);
  REQUIRE(line.boxes[1]->received == 100'000);
  REQUIRE(line.boxes[1]->sent == 0);
}

}  // namespace
}  // namespace hearth::sim
