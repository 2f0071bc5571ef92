#include "tests/simulator/line.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto MS = kj::MILLISECONDS;
constexpr auto S = kj::SECONDS;

TEST_CASE("bytes arrive after the latency, and not before") {
  Line line;
  auto read = line.read(line.pair.called, 5);
  auto written = line.write(line.pair.caller, "hello");
  line.run(1 * S);
  REQUIRE(**read == "hello");
  REQUIRE(line.took(written->at) == 0 * S);
  REQUIRE(line.took(read->at) == 10 * MS);
}

TEST_CASE("a transfer takes what the slower of both radios needs") {
  auto kind = Wires::lan();
  kind.upBps = 100e3;
  kind.downBps = 400e3;
  Line line(kind);
  auto read = line.read(line.pair.called, 200'000);
  auto written = line.write(line.pair.caller, 200'000);
  line.run(1 * kj::MINUTES);
  REQUIRE(line.took(read->at) == 2'010 * MS);
}

TEST_CASE("connections of one device share its radio") {
  Wires world;
  auto kind = Wires::lan();
  kind.upBps = 100e3;
  world.join(kind, {0, 1, 2});
  auto first = world.connect(0, 1), second = world.connect(0, 2);
  auto begun = world.time.elapsed();
  auto read = world.read(first.called, 100'000), readToo = world.read(second.called, 100'000);
  auto written = world.write(first.caller, 100'000), too = world.write(second.caller, 100'000);
  world.run(1 * kj::MINUTES);
  REQUIRE(read->at - begun == 1'010 * MS);
  REQUIRE(readToo->at - begun == 2'010 * MS);
}

TEST_CASE("many that send slowly do not slow each other down at one that receives fast") {
  Wires world;
  auto kind = Wires::lan();
  kind.upBps = 100e3;
  world.join(kind, {0, 1, 2});
  auto first = world.connect(0, 2);
  world.receivers.clear();
  auto second = world.connect(1, 2);
  auto begun = world.time.elapsed();
  auto read = world.read(first.called, 100'000), readToo = world.read(second.called, 100'000);
  auto written = world.write(first.caller, 100'000), too = world.write(second.caller, 100'000);
  world.run(1 * kj::MINUTES);
  REQUIRE(read->at - begun <= 1'011 * MS);
  REQUIRE(readToo->at - begun <= 1'011 * MS);
}

TEST_CASE("a radio that waits for resends of one sender receives from another") {
  Wires world;
  world.join(world.lan(), {0, 1, 2});
  auto lossy = world.connect(0, 2);
  world.receivers.clear();
  auto clean = world.connect(1, 2);
  world.terrain.trouble(0, 2).loss = 999;
  auto begun = world.time.elapsed();
  auto late = world.write(lossy.caller, "late");
  auto written = world.write(clean.caller, "hello");
  auto read = world.read(clean.called, 5), readLate = world.read(lossy.called, 4);
  world.run(2 * kj::MINUTES);
  REQUIRE(**readLate == "late");
  REQUIRE(readLate->at - begun > 10 * S);
  REQUIRE(read->at - begun == 10 * MS);
}

TEST_CASE("a radio that is clogged is slower by that factor") {
  auto kind = Wires::lan();
  kind.upBps = kind.downBps = 100e3;
  Line line(kind);
  line.terrain.clog(1, 5);
  auto read = line.read(line.pair.called, 100'000);
  auto written = line.write(line.pair.caller, 100'000);
  line.run(1 * kj::MINUTES);
  REQUIRE(line.took(read->at) == 5'010 * MS);
}

TEST_CASE("a device's radios on two networks do not slow each other down") {
  Wires world;
  auto slow = Wires::lan();
  slow.upBps = 1e3;
  auto bluetooth = world.join(slow, {0, 1});
  auto wifi = world.join(world.lan(), {0, 2});
  auto far = world.connect(0, 1, bluetooth), near = world.connect(0, 2, wifi);
  auto begun = world.time.elapsed();
  auto crawling = world.write(far.caller, 60'000);
  auto written = world.write(near.caller, "hello");
  auto read = world.read(near.called, 5);
  world.run(1 * S);
  REQUIRE(read->at - begun == 10 * MS);
}

TEST_CASE("loss is seen as delay by the kernel's resends, and nothing is missing") {
  Line line;
  line.terrain.trouble(0, 1).loss = 300;
  auto read = line.read(line.pair.called, 10'000);
  auto written = line.write(line.pair.caller, 10'000);
  line.run(1 * kj::MINUTES);
  REQUIRE((**read).size() == 10'000);
  REQUIRE(line.took(read->at) >= 10 * MS + Flow::RESEND_AFTER);
}

TEST_CASE("lost packets of one segment are resent beside each other, not one after the other") {
  Line line;
  line.terrain.trouble(0, 1).loss = 100;
  auto read = line.read(line.pair.called, 60'000);
  auto written = line.write(line.pair.caller, 60'000);
  line.run(1 * kj::MINUTES);
  REQUIRE(line.took(read->at) <= 2 * S);
}

kj::Promise<void> speak(Line& line, int count) {
  for (int i = 0; i < count; ++i) {
    co_await line.pair.caller->write("x", 1);
    co_await line.time.after(20 * MS);
  }
}

kj::Promise<kj::Duration> longestGap(Line& line, int count) {
  auto longest = 0 * S;
  char byte;
  for (int i = 0; i < count; ++i) {
    auto before = line.time.now();
    co_await line.pair.called->read(&byte, 1);
    longest = kj::max(longest, line.time.now() - before);
  }
  co_return longest;
}

TEST_CASE("a packet that is lost among others is resent as soon as those have told of it") {
  Line line;
  line.terrain.trouble(0, 1).loss = 20;
  auto speaking = line.watch(speak(line, 200));
  auto gap = line.watch(longestGap(line, 200));
  line.run(1 * kj::MINUTES);
  REQUIRE(**gap > 60 * MS);
  REQUIRE(**gap < Flow::RESEND_AFTER);
}

TEST_CASE("a path on which everything is lost is no path") {
  Line line;
  line.terrain.trouble(0, 1).loss = 1'000;
  auto written = line.write(line.pair.caller, "hello");
  auto read = line.read(line.pair.called, 5);
  line.run(10 * kj::MINUTES);
  REQUIRE(read->isOpen());
}

// What arrives while the path is lossy, uneven, slow, cut and mended by luck.
struct Storm: Line {
  Chance luck;
  explicit Storm(uint64_t seed)
      : Line({.name = "storm", .latencyMax = 300 * MS, .upBps = 50e3, .downBps = 80e3}, seed),
        luck(seed) {
    terrain.trouble(0, 1).loss = 50;
  }
  void weather() {
    auto from = static_cast<DeviceIndex>(luck.below(2));
    auto to = static_cast<DeviceIndex>(1 - from);
    auto& clock = boxes[from]->clock;
    switch (luck.below(6)) {
      case 0:
        return terrain.cut(from, to);
      case 1:
        terrain.trouble(from, to).loss = static_cast<uint32_t>(luck.below(500));
        return;
      case 2:
        return clock.suspend();
      case 3:
        return clock.resume();
      default:
        return terrain.mendAll();
    }
  }
};

TEST_CASE("bytes arrive whole and in order in any weather") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Storm storm(seed);
    constexpr size_t SIZE = 300'000;
    auto there = storm.write(storm.pair.caller, SIZE);
    auto back = storm.write(storm.pair.called, SIZE);
    auto readThere = storm.read(storm.pair.called, SIZE);
    auto readBack = storm.read(storm.pair.caller, SIZE);
    for (int i = 0; i < 40; ++i) {
      storm.run(storm.luck.between(0 * S, 5 * S));
      storm.weather();
    }
    storm.terrain.mendAll();
    for (auto& box: storm.boxes) box->clock.resume();
    storm.run(10 * kj::MINUTES);
    REQUIRE((**readThere).size() == SIZE);
    REQUIRE(**readThere == **readBack);
    REQUIRE((**readThere)[12'345] == static_cast<char>(12'345 * 31 >> 3));
  }
}

TEST_CASE("equal seeds deliver at equal times, other seeds at others") {
  auto arrival = [](uint64_t seed) {
    Line line({.name = "uneven", .latencyMax = 400 * MS}, seed);
    auto written = line.write(line.pair.caller, 10'000);
    auto read = line.read(line.pair.called, 10'000);
    line.run(1 * kj::MINUTES);
    return read->at;
  };
  REQUIRE(arrival(3) == arrival(3));
  REQUIRE(arrival(3) != arrival(4));
}

TEST_CASE("a fault on one connection leaves the luck of another as it was") {
  auto arrival = [](bool fault) {
    Wires world;
    world.join({.name = "uneven", .latencyMax = 400 * MS}, {0, 1, 2, 3});
    auto hit = world.connect(0, 1), spared = world.connect(2, 3);
    if (fault) world.terrain.cut(0, 1);
    auto written = world.write(hit.caller, "hit");
    world.run(10 * S);
    if (fault) world.terrain.mend(0, 1);
    world.run(1 * kj::MINUTES);
    auto other = world.write(spared.caller, "spared");
    auto read = world.read(spared.called, 6);
    world.run(1 * S);
    return read->at;
  };
  REQUIRE(arrival(false) == arrival(true));
}

TEST_CASE("bytes written during a cut arrive after it, late by the kernel's resends") {
  Line line;
  line.terrain.cut(0, 1);
  auto written = line.write(line.pair.caller, "hello");
  auto read = line.read(line.pair.called, 5);
  line.run(30 * S);
  REQUIRE(read->isOpen());
  line.terrain.mend(0, 1);
  line.run(30 * S);
  REQUIRE(**read == "hello");
  REQUIRE(line.took(read->at) > 30 * S);
}

TEST_CASE("a cut in one direction lets a segment of the other through, and then stops it, too") {
  Line line;
  line.terrain.cut(0, 1);
  auto one = line.write(line.pair.called, "one");
  auto readOne = line.read(line.pair.caller, 3);
  line.run(1 * S);
  auto two = line.write(line.pair.called, "two");
  auto readTwo = line.read(line.pair.caller, 3);
  auto against = line.write(line.pair.caller, "against");
  auto readAgainst = line.read(line.pair.called, 7);
  line.run(1 * kj::MINUTES);
  REQUIRE(**readOne == "one");
  REQUIRE(readTwo->isOpen());
  REQUIRE(readAgainst->isOpen());
  line.terrain.mend(0, 1);
  line.run(1 * kj::MINUTES);
  REQUIRE(**readTwo == "two");
  REQUIRE(**readAgainst == "against");
}

TEST_CASE("whose answers are cut off loses its patience after a quarter of an hour") {
  Line line;
  line.terrain.cut(0, 1);
  auto written = line.write(line.pair.called, "hello");
  auto broken = line.watch(line.pair.called->whenWriteDisconnected());
  line.run(1 * kj::HOURS);
  REQUIRE(line.took(broken->at) == Flow::GIVE_UP_AFTER + 10 * MS);
}

TEST_CASE(
    "a writer gives up after a quarter of an hour of silence; its peer learns it by a reset") {
  Line line;
  line.terrain.cut(0, 1);
  line.terrain.cut(1, 0);
  auto written = line.write(line.pair.caller, "hello");
  auto waiting = line.read(line.pair.caller, 1);
  auto peerWaits = line.read(line.pair.called, 1);
  line.run(Flow::GIVE_UP_AFTER);
  REQUIRE(waiting->isOpen());
  line.run(1 * S);
  REQUIRE(waiting->isDisconnected());
  REQUIRE(line.refusesWrite(line.pair.caller));
  line.terrain.mendAll();
  line.run(1 * kj::HOURS);
  REQUIRE(peerWaits->isOpen());
  auto answer = line.write(line.pair.called, "answer");
  line.run(1 * S);
  REQUIRE(peerWaits->isDisconnected());
}

TEST_CASE("silence before a path was cut does not count") {
  Line line;
  auto filling = line.write(line.pair.caller, BUFFERED);
  line.run(1 * kj::HOURS);
  line.terrain.cut(0, 1);
  auto read = line.read(line.pair.called, BUFFERED);
  line.run(1 * kj::MINUTES);
  line.terrain.mend(0, 1);
  line.run(5 * kj::MINUTES);
  REQUIRE((**read).size() == BUFFERED);
}

}  // namespace
}  // namespace hearth::sim
