// Two devices that have no way to each other, and a third that carries for them.
#include "tests/transport/members.h"
#include "transport/link/ferry.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr kj::byte HEADER[] = {Member::STREAM_KIND};

struct Carried: public Three {
  Carried() {
    knows(anna, carol);
    knows(ben, carol);
    knowsNoPlaceOf(anna, ben);
    knowsNoPlaceOf(ben, anna);
  }
  bool bothUp() {
    return eventually([&]() { return anna.isUp(ben) && ben.isUp(anna); });
  }
  bool goesThroughCarol() {
    auto path = Path::through(carol.id());
    return anna.pathTo(ben) == path && ben.pathTo(anna) == path;
  }
  bool goesStraight() {
    auto isDirect = [](kj::Maybe<Path> path) {
      return path != nullptr && KJ_ASSERT_NONNULL(path).isDirect();
    };
    return isDirect(anna.pathTo(ben)) && isDirect(ben.pathTo(anna));
  }
  Ferry::Count carried() { return carol.links->carrying().total(); }
  void write(kj::AsyncIoStream& stream, kj::StringPtr text) {
    stream.write(text.begin(), text.size()).wait(uv.waitScope);
  }
  kj::String readAll(kj::AsyncIoStream& stream) { return stream.readAllText().wait(uv.waitScope); }
  // A stream from one to the other, and its other end.
  kj::Own<kj::AsyncIoStream> open(Member& from, Member& to) {
    auto before = to.streams.size();
    auto stream = from.links->open(to.id(), Lane::INTERACTIVE, HEADER).value();
    REQUIRE(eventually([&]() { return to.streams.size() == before + 1; }));
    return stream;
  }
};

TEST_CASE("two devices that know no way to each other have a link through a third that both know") {
  Carried three;
  REQUIRE(three.bothUp());
  REQUIRE(three.goesThroughCarol());
  auto stream = three.open(three.anna, three.ben);
  three.write(*stream, "through carol");
  stream->shutdownWrite();
  REQUIRE(three.readAll(*three.ben.streams[0]) == "through carol");
  auto count = three.carol.links->carrying().countOf(three.anna.id());
  REQUIRE(count.now == 1);
  REQUIRE(count.bytes > 1'000);  // at least a handshake
  REQUIRE(three.carried().bytes == count.bytes);
}

TEST_CASE(
    "megabytes cross a carried link in order, while its carrier holds a bounded part of them") {
  Carried three;
  REQUIRE(three.bothUp());
  auto stream = three.open(three.anna, three.ben);
  auto data = kj::heapArray<kj::byte>(4 << 20);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<kj::byte>(i * 7 + (i >> 9));
  auto writing = stream->write(data.begin(), data.size()).eagerlyEvaluate(nullptr);
  // Nobody reads at the other end: credit holds it back from end to end.
  three.wait(300 * kj::MILLISECONDS);
  auto stalled = three.carried().bytes;
  three.wait(300 * kj::MILLISECONDS);
  constexpr size_t PINGS = 8 << 10;
  REQUIRE(three.carried().bytes < stalled + PINGS);
  REQUIRE(stalled < 2 << 20);
  auto got = kj::heapArray<kj::byte>(data.size());
  three.ben.streams[0]->read(got.begin(), got.size()).wait(three.uv.waitScope);
  REQUIRE(got == data);
}

TEST_CASE("a carried link ends with the device that carries, and comes back with it") {
  Carried three;
  REQUIRE(three.bothUp());
  three.carol.links = nullptr;
  REQUIRE(three.eventually(
      [&]() { return !three.anna.isUp(three.ben) && !three.ben.isUp(three.anna); }));
  three.start(three.carol);
  three.knows(three.anna, three.carol);
  three.knows(three.ben, three.carol);
  REQUIRE(three.bothUp());
  REQUIRE(three.goesThroughCarol());
}

TEST_CASE("a link that makes a detour goes straight as soon as an address is known") {
  Carried three;
  REQUIRE(three.bothUp());
  three.knows(three.anna, three.ben);
  REQUIRE(three.eventually([&]() {
    auto path = three.anna.pathTo(three.ben);
    return path != nullptr && KJ_ASSERT_NONNULL(path).isDirect() && three.bothUp();
  }));
  REQUIRE(three.eventually([&]() { return three.carried().now == 0; }));
}

TEST_CASE("a link goes straight under those who wait, and no byte is lost or doubled") {
  Carried three;
  REQUIRE(three.bothUp());
  auto stream = three.open(three.anna, three.ben);
  auto received = three.ben.streams[0]->readAllText().eagerlyEvaluate(nullptr);
  std::string said;
  auto say = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      auto piece = std::to_string(i) + ",";
      three.write(*stream, piece.c_str());
      said += piece;
    }
  };
  say(0, 1'000);
  three.knows(three.anna, three.ben);
  bool straight = false;
  for (int i = 1'000; !straight && i < 100'000; i += 10) {
    say(i, i + 10);
    three.wait(1 * kj::MILLISECONDS);
    straight = !three.goesThroughCarol();
  }
  REQUIRE(straight);
  say(0, 1'000);
  stream->shutdownWrite();
  REQUIRE(received.wait(three.uv.waitScope) == said.c_str());
  REQUIRE(three.goesStraight());
  REQUIRE(three.anna.log == std::vector<std::string>({"up", "up"}));  // carol, ben
  REQUIRE(three.ben.log == three.anna.log);
}

TEST_CASE("nobody is carried to a device that was removed") {
  Carried three;
  REQUIRE(three.bothUp());
  auto& ben = three.carol.members[three.ben.id()];
  ben.standing = Circle::Standing::GONE;
  three.carol.links->drop(three.ben.id(), Errc::REMOVED);
  REQUIRE(
      three.eventually([&]() { return !three.anna.isUp(three.ben) && three.carried().now == 0; }));
  three.wait(1 * kj::SECONDS);
  REQUIRE_FALSE(three.anna.isUp(three.ben));
}

bool isUdp(kj::Maybe<Path> path) {
  return path != nullptr && KJ_ASSERT_NONNULL(path).kind == Path::Kind::UDP;
}

TEST_CASE("two that are carried meet by datagrams, where each says that it is") {
  Carried three;
  three.serveDatagrams(three.anna);
  auto bens = three.serveDatagrams(three.ben);
  REQUIRE(three.bothUp());
  REQUIRE(three.goesThroughCarol());
  three.anna.met = {bens};
  REQUIRE(
      three.eventually([&]() { return isUdp(three.anna.pathTo(three.ben)) && three.bothUp(); }));
  REQUIRE(isUdp(three.ben.pathTo(three.anna)));
  auto stream = three.open(three.anna, three.ben);
  three.write(*stream, "by datagrams");
  stream->shutdownWrite();
  REQUIRE(three.readAll(*three.ben.streams[0]) == "by datagrams");
}

TEST_CASE(
    "who is asked to meet calls where the other says that it is, and no oftener than now and then") {
  Carried three;
  auto annas = three.serveDatagrams(three.anna);
  three.serveDatagrams(three.ben);
  REQUIRE(three.bothUp());
  three.ben.links->callAt(three.anna.id(), {"udp:127.0.0.1:1"});  // nobody is there
  three.ben.links->callAt(three.anna.id(), {annas});              // too soon
  three.wait(200 * kj::MILLISECONDS);
  REQUIRE(three.goesThroughCarol());
  three.wait(Links::MEET_AGAIN_AFTER);
  three.ben.links->callAt(three.anna.id(), {annas});
  REQUIRE(
      three.eventually([&]() { return isUdp(three.ben.pathTo(three.anna)) && three.bothUp(); }));
}

TEST_CASE("a device learns from a member as whom its datagrams are seen") {
  Carried three;
  auto annas = three.serveDatagrams(three.anna);
  REQUIRE(three.anna.links->seenAs().wait(three.uv.waitScope).empty());
  auto carols = three.serveDatagrams(three.carol);
  three.anna.links->setAddresses(three.carol.id(), {three.carol.address, carols});
  REQUIRE(three.bothUp());
  REQUIRE(three.anna.links->seenAs().wait(three.uv.waitScope) == std::vector{annas});
}

TEST_CASE("a member that has left its first place says at its second as whom it sees this device") {
  Carried three;
  auto annas = three.serveDatagrams(three.anna);
  auto carols = three.serveDatagrams(three.carol);
  three.anna.links->setAddresses(
      three.carol.id(), {three.carol.address, "udp:127.0.0.1:1", carols});
  REQUIRE(three.bothUp());
  REQUIRE(three.anna.links->seenAs().wait(three.uv.waitScope) == std::vector{annas});
}

// Streams as a hostile member of the circle would open them.
struct Hostile: public Carried {
  Hostile() { REQUIRE(bothUp()); }
  kj::Own<kj::AsyncIoStream> ask(Member& member, kj::ArrayPtr<const kj::byte> target,
      kj::byte kind = Links::STREAM_KIND_CARRY) {
    kj::Vector<kj::byte> header;
    header.add(kind);
    header.addAll(target);
    return anna.links->open(member.id(), Lane::BULK, header).value();
  }
  // Whether the one byte came that says yes.
  bool isAnswered(kj::AsyncIoStream& stream) {
    kj::byte yes[1];
    try {
      return stream.tryRead(yes, 1, 1).wait(uv.waitScope) == 1;
    } catch (const kj::Exception&) {
      return false;
    }
  }
  size_t halfOpen(Member& member) {
    Holdings holdings;
    member.links->addTo(holdings);
    return holdings[0].now;
  }
};

TEST_CASE("a member that has itself carried without end takes one share of the other's places") {
  Hostile three;
  std::vector<kj::Own<kj::AsyncIoStream>> asked;
  for (size_t i = 0; i < 4 * Links::CARRIED_HALF_OPEN_MAX; ++i)
    asked.push_back(three.ask(three.carol, three.ben.id().asBytes()));
  REQUIRE(three.eventually([&]() { return three.halfOpen(three.ben) > 0; }));
  three.wait(200 * kj::MILLISECONDS);
  REQUIRE(three.halfOpen(three.ben) == Links::CARRIED_HALF_OPEN_MAX);
  REQUIRE(three.carried().now == Links::CARRIED_HALF_OPEN_MAX + 1);
}

// Peers that keep whatever is carried to them.
struct BusyFerry {
  UvLoop uv;
  Ferry ferry{uv.timer()};
  std::vector<kj::Own<kj::AsyncIoStream>> ends;

  void carry(const DeviceId& asking, const DeviceId& target) {
    auto there = kj::newTwoWayPipe(), back = kj::newTwoWayPipe();
    ferry.carry(asking, target, kj::mv(there.ends[0]), kj::mv(back.ends[0]));
    ends.push_back(kj::mv(there.ends[1]));
    ends.push_back(kj::mv(back.ends[1]));
    uv.waitScope.poll();
  }
  static DeviceId peer(size_t number) {
    DeviceId id;
    id.bytes[0] = static_cast<kj::byte>(number);
    return id;
  }
};

TEST_CASE("one peer is carried to so many others, and all peers together to so many") {
  BusyFerry busy;
  constexpr size_t PEERS = Ferry::PASSAGES_MAX / Ferry::PASSAGES_OF_PEER_MAX;
  for (size_t peer = 1; peer <= PEERS; ++peer) {
    for (size_t i = 0; i < Ferry::PASSAGES_OF_PEER_MAX; ++i) {
      REQUIRE(busy.ferry.mayCarry(busy.peer(peer)));
      busy.carry(busy.peer(peer), busy.peer(100));
    }
    REQUIRE(busy.ferry.mayCarry(busy.peer(peer)).error().code == Errc::LIMIT_EXCEEDED);
  }
  REQUIRE(busy.ferry.mayCarry(busy.peer(PEERS + 1)).error().code == Errc::BUSY);
  busy.ends.clear();
  busy.uv.waitScope.poll();
  REQUIRE(busy.ferry.total().now == 0);
  REQUIRE(busy.ferry.mayCarry(busy.peer(1)));
}

TEST_CASE(
    "callers that a member brings and that say nothing take only its own share of the places") {
  Hostile three;
  std::vector<kj::Own<kj::AsyncIoStream>> asked;
  for (size_t i = 0; i < 2 * Links::CARRIED_HALF_OPEN_MAX; ++i)
    asked.push_back(three.ask(three.ben, three.carol.id().asBytes(), Links::STREAM_KIND_CARRIED));
  three.wait(200 * kj::MILLISECONDS);
  // Over a link that is carried itself nobody is brought.
  REQUIRE(three.halfOpen(three.ben) == 0);
  for (size_t i = 0; i < 2 * Links::CARRIED_HALF_OPEN_MAX; ++i)
    asked.push_back(three.ask(three.carol, three.ben.id().asBytes(), Links::STREAM_KIND_CARRIED));
  REQUIRE(three.eventually([&]() { return three.halfOpen(three.carol) > 0; }));
  three.wait(200 * kj::MILLISECONDS);
  REQUIRE(three.halfOpen(three.carol) == Links::CARRIED_HALF_OPEN_MAX);
}

TEST_CASE("a carried link carries nobody, and nobody is carried to himself or to nowhere") {
  Hostile three;
  REQUIRE_FALSE(three.isAnswered(*three.ask(three.ben, three.carol.id().asBytes())));
  REQUIRE_FALSE(three.isAnswered(*three.ask(three.carol, three.anna.id().asBytes())));
  REQUIRE_FALSE(three.isAnswered(*three.ask(three.carol, three.carol.id().asBytes())));
  REQUIRE_FALSE(three.isAnswered(*three.ask(three.carol, DeviceId().asBytes())));
  REQUIRE_FALSE(three.isAnswered(*three.ask(three.carol, nullptr)));
  REQUIRE(three.isAnswered(*three.ask(three.carol, three.ben.id().asBytes())));
}

TEST_CASE("what is carried keeps to the rate that was set") {
  Carried three;
  constexpr uint64_t RATE = 100'000;
  three.carol.links->carrying().setRate(RATE);
  REQUIRE(three.bothUp());
  auto stream = three.open(three.anna, three.ben);
  auto reading = three.ben.streams[0]->readAllBytes().eagerlyEvaluate(nullptr);
  auto data = kj::heapArray<kj::byte>(1 << 20);
  auto writing = stream->write(data.begin(), data.size()).eagerlyEvaluate(nullptr);
  three.wait(1 * kj::SECONDS);
  auto before = three.carried().bytes;
  three.wait(2 * kj::SECONDS);
  auto passed = three.carried().bytes - before;
  REQUIRE(passed > RATE);
  REQUIRE(passed < 3 * RATE);
}

}  // namespace
}  // namespace hearth::transport
