#include "tests/simulator/post.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <sys/socket.h>

namespace hearth::sim {
namespace {

constexpr auto MS = kj::MILLISECONDS;
constexpr auto S = kj::SECONDS;

using Texts = std::vector<std::string>;

// Two boxes on one network, with a port each.
struct Pair: Wires {
  NetworkIndex network;
  Post here, there;
  explicit Pair(NetworkKind kind = lan(), uint64_t seed = 1)
      : Wires(seed),
        network(join(kj::mv(kind), {0, 1})),
        here(*this, 0),
        there(*this, 1) {}

  // So many, numbered, at such a distance.
  void sendMany(int count, kj::Duration apart) {
    for (int i = 0; i < count; ++i) {
      here.send("10.0.0.1", kj::str(i));
      run(apart);
    }
    run(1 * S);
  }
};

Texts numbers(int count) {
  Texts all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_CASE("a datagram takes the network's latency and names its sender") {
  Pair pair;
  pair.here.send("10.0.0.1", "hello");
  pair.run(1 * S);
  REQUIRE(pair.there.texts() == Texts{"hello"});
  REQUIRE(pair.there.heard[0].at == 10 * MS);
  REQUIRE(pair.there.heard[0].from == "10.0.0.0:7000");
  REQUIRE(!pair.there.heard[0].truncated);
  REQUIRE(pair.deliveries == 1);
}

TEST_CASE("whoever received a datagram can answer to its source") {
  Pair pair;
  pair.here.send("10.0.0.1", "hello");
  pair.run(1 * S);
  pair.there.send(pair.there.heard[0].from.c_str(), "hello yourself");
  pair.run(1 * S);
  REQUIRE(pair.here.texts() == Texts{"hello yourself"});
}

TEST_CASE("pieces arrive as one datagram, and an empty one arrives") {
  Pair pair;
  auto target = pair.here.address("10.0.0.1");
  kj::ArrayPtr<const kj::byte> pieces[] = {"ab"_kj.asBytes(), "cd"_kj.asBytes()};
  REQUIRE(pair.here.port->send(pieces, *target).wait(pair.scope) == 4);
  pair.here.send("10.0.0.1", "");
  pair.run(1 * S);
  REQUIRE(pair.there.texts() == Texts{"abcd", ""});
}

TEST_CASE("what is longer than the receiver's room is cut, and it says so") {
  Wires world;
  world.join(world.lan(), {0, 1});
  Post here(world, 0), there(world, 1, Post::PORT, {.content = 3});
  here.send("10.0.0.1", "hello");
  world.run(1 * S);
  REQUIRE(there.texts() == Texts{"hel"});
  REQUIRE(there.heard[0].truncated);
}

TEST_CASE("the longest datagram of UDP arrives, one byte more is refused") {
  Wires world;
  world.join(world.lan(), {0, 1});
  Post here(world, 0);
  Post there(world, 1, Post::PORT, {.content = DatagramStack::DATAGRAM_BYTES_MAX});
  here.send("10.0.0.1", kj::heapString(DatagramStack::DATAGRAM_BYTES_MAX));
  world.run(1 * S);
  REQUIRE(there.heard[0].text.size() == DatagramStack::DATAGRAM_BYTES_MAX);
  REQUIRE_THROWS(here.send("10.0.0.1", kj::heapString(DatagramStack::DATAGRAM_BYTES_MAX + 1)));
}

TEST_CASE("options of a port can be set, and none can be read") {
  Pair pair;
  int value = 0;
  kj::uint length = sizeof(value);
  REQUIRE_THROWS_AS(
      pair.here.port->getsockopt(SOL_SOCKET, SO_RCVBUF, &value, &length), kj::Exception);
}

TEST_CASE("a datagram is lost with any of its fragments") {
  auto kind = Wires::lan();
  kind.lossPermille = 50;
  Pair pair(kind);
  auto small = kj::heapString(100), large = kj::heapString(14'000);  // ten fragments
  for (int i = 0; i < 200; ++i) pair.here.send("10.0.0.1", small);
  pair.run(1 * S);
  auto ofSmall = pair.deliveries;
  for (int i = 0; i < 200; ++i) pair.here.send("10.0.0.1", large);
  pair.run(1 * S);
  auto ofLarge = pair.deliveries - ofSmall;
  REQUIRE((ofSmall > 180 && ofSmall < 200));
  REQUIRE((ofLarge > 90 && ofLarge < 150));  // 0.95 to the tenth: 120
}

TEST_CASE("loss between two devices may have one direction") {
  Pair pair;
  pair.terrain.trouble(0, 1).loss = 1'000;
  pair.here.send("10.0.0.1", "lost");
  pair.there.send("10.0.0.0", "found");
  pair.run(1 * S);
  REQUIRE(pair.there.heard.empty());
  REQUIRE(pair.here.texts() == Texts{"found"});
}

TEST_CASE("datagrams keep their order in uneven latency") {
  auto kind = Wires::lan();
  kind.latencyMax = 200 * MS;
  Pair pair(kind);
  pair.sendMany(50, 5 * MS);
  REQUIRE(pair.there.texts() == numbers(50));
}

TEST_CASE("what is late is overtaken, and nothing is lost or doubled by it") {
  auto kind = Wires::lan();
  kind.reorderPermille = 200;
  Pair pair(kind);
  pair.sendMany(50, 5 * MS);
  auto texts = pair.there.texts();
  REQUIRE(texts != numbers(50));
  std::ranges::sort(texts, {}, [](auto& text) { return std::stoi(text); });
  REQUIRE(texts == numbers(50));
}

TEST_CASE("a duplicate comes again soon, and no third time") {
  auto kind = Wires::lan();
  kind.duplicatePermille = 1'000;
  Pair pair(kind);
  pair.sendMany(20, 100 * MS);
  REQUIRE(pair.there.heard.size() == 40);
  for (size_t i = 0; i < 20; ++i) {
    REQUIRE(pair.there.heard[2 * i].text == pair.there.heard[2 * i + 1].text);
    auto apart = pair.there.heard[2 * i + 1].at - pair.there.heard[2 * i].at;
    REQUIRE(apart <= DatagramStack::LATE_MAX);
  }
}

TEST_CASE("duplicates and disorder between two devices may have one direction") {
  Pair pair;
  pair.terrain.trouble(0, 1).duplicates = 1'000;
  pair.here.send("10.0.0.1", "twice");
  pair.there.send("10.0.0.0", "once");
  pair.run(1 * S);
  REQUIRE(pair.there.heard.size() == 2);
  REQUIRE(pair.here.heard.size() == 1);
}

TEST_CASE("datagrams and streams share the radio") {
  auto kind = Wires::lan();
  kind.upBps = kind.downBps = 100e3;
  Pair pair(kind);
  auto stream = pair.connect(0, 1);
  pair.run(1 * S);
  auto written = pair.write(stream.caller, 50'000);
  auto before = pair.time.elapsed();
  pair.here.send("10.0.0.1", "behind it");
  pair.run(2 * S);
  REQUIRE(pair.there.heard[0].at - before > 500 * MS);
}

TEST_CASE("what would wait at a radio for more than a second is dropped") {
  auto kind = Wires::lan();
  kind.upBps = 10e3;
  Pair pair(kind);
  auto kilobyte = kj::heapString(1'000);
  for (int i = 0; i < 100; ++i) pair.here.send("10.0.0.1", kilobyte);
  pair.run(10 * S);
  REQUIRE(pair.there.heard.size() == 11);
}

TEST_CASE("a port keeps so many bytes for a slow reader, and drops what comes then") {
  Pair pair;
  auto port = pair.here.address("*", 9)->bindDatagramPort();
  auto large = kj::heapString(60'000);
  for (int i = 0; i < 5; ++i) pair.there.send("10.0.0.0:9", large);
  pair.run(1 * S);
  auto receiver = port->makeReceiver({});
  for (int i = 0; i < 3; ++i) receiver->receive().wait(pair.scope);
  auto more = pair.watch(receiver->receive());
  pair.run(1 * S);
  REQUIRE(more->isOpen());
}

TEST_CASE("empty datagrams that nobody reads take room, too") {
  Pair pair;
  auto port = pair.here.address("*", 9)->bindDatagramPort();
  for (int i = 0; i < 300; ++i) pair.there.send("10.0.0.0:9", "");
  pair.run(1 * S);
  auto receiver = port->makeReceiver({});
  for (int i = 0; i < 277; ++i) receiver->receive().wait(pair.scope);
  auto more = pair.watch(receiver->receive());
  pair.run(1 * S);
  REQUIRE(more->isOpen());
}

TEST_CASE("a datagram to a port without a listener, to a cut or sleeping device is gone") {
  Pair pair;
  pair.here.send("10.0.0.1:9", "nobody");
  pair.terrain.cut(0, 1);
  pair.here.send("10.0.0.1", "cut");
  pair.run(1 * S);
  pair.terrain.mend(0, 1);
  pair.boxes[1]->clock.suspend();
  pair.here.send("10.0.0.1", "asleep");
  pair.run(1 * S);
  pair.boxes[1]->clock.resume();
  pair.boxes[1]->on = false;
  pair.here.send("10.0.0.1", "off");
  pair.run(1 * S);
  pair.boxes[1]->on = true;
  pair.run(1 * S);
  REQUIRE(pair.there.heard.empty());
}

TEST_CASE("a datagram without a network is refused at once") {
  Pair pair;
  pair.terrain.attach(0, {});
  REQUIRE_THROWS(pair.here.send("10.0.0.1", "hello"));
}

TEST_CASE("a port that is in use cannot be bound, and any port is one that is free") {
  Pair pair;
  REQUIRE_THROWS(pair.here.address("*")->bindDatagramPort());
  auto one = pair.here.address("*", 0)->bindDatagramPort();
  auto other = pair.here.address("*", 0)->bindDatagramPort();
  REQUIRE(one->getPort() != 0);
  REQUIRE(one->getPort() != other->getPort());
}

TEST_CASE("guests of a network that isolates them send each other nothing") {
  auto kind = Wires::lan();
  kind.isolates = true;
  Pair pair(kind);
  pair.here.send("10.0.0.1", "hello");
  pair.run(1 * S);
  REQUIRE(pair.there.heard.empty());
}

TEST_CASE("radios are told of every datagram that was sent, and of what arrived") {
  Pair pair;
  pair.terrain.trouble(0, 1).loss = 1'000;
  pair.here.send("10.0.0.1", "hello");
  pair.run(1 * S);
  REQUIRE(pair.boxes[0]->sent == 5);
  REQUIRE(pair.boxes[1]->received == 0);
}

TEST_CASE("one fault does not shift the luck of later datagrams") {
  auto arrivalsWith = [](uint32_t permille) {
    auto kind = Wires::lan();
    kind.latencyMax = 90 * MS;
    Pair pair(kind);
    pair.terrain.trouble(0, 1).reordered = permille;
    pair.here.send("10.0.0.1", "first");
    pair.run(1 * S);
    pair.terrain.trouble(0, 1) = {};
    pair.here.send("10.0.0.1", "second");
    pair.run(1 * S);
    return std::pair(pair.there.heard[0].at, pair.there.heard[1].at);
  };
  REQUIRE(arrivalsWith(0).first != arrivalsWith(1'000).first);
  REQUIRE(arrivalsWith(0).second == arrivalsWith(1'000).second);
}

}  // namespace
}  // namespace hearth::sim
