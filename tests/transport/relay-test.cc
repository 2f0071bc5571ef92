// A blind relay, those who use it, and those who misuse it.
#include "transport/relay/relay-client.h"
#include "transport/relay/relay-server.h"
#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

using Wish = RelayHello::Wish;

RelayName named(kj::byte number) {
  RelayName name;
  name.bytes[0] = number;
  return name;
}

TEST_CASE("a hello reads back as it was written, and nothing else is one") {
  auto bytes = RelayHello{Wish::CALL, named(7)}.write();
  REQUIRE(bytes.size() == RelayHello::BYTES);
  auto read = RelayHello::read(bytes).value();
  REQUIRE(read.wish == Wish::CALL);
  REQUIRE(read.name == named(7));
  REQUIRE(RelayHello::read(bytes.slice(1, bytes.size())).error().code == Errc::BAD_LENGTH);
  auto changed = [&](size_t at, kj::byte value) {
    auto copy = kj::heapArray<kj::byte>(bytes);
    copy[at] = value;
    return RelayHello::read(copy).error().code;
  };
  REQUIRE(changed(0, 'X') == Errc::BAD_FORMAT);
  REQUIRE(changed(4, 2) == Errc::BAD_VERSION);
  REQUIRE(changed(5, 0) == Errc::BAD_FORMAT);
  REQUIRE(changed(5, 3) == Errc::BAD_FORMAT);
  REQUIRE(changed(6, 1) == Errc::BAD_FORMAT);
  REQUIRE(changed(7, 1) == Errc::BAD_FORMAT);
}

struct Relayed {
  UvLoop uv;
  UvNetwork network{uv.port};
  kj::Own<RelayServer> relay;
  std::string address;

  explicit Relayed(RelayServer::Limits limits = {})
      : relay(kj::heap<RelayServer>(uv.timer(), limits)) {
    auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
    address = "127.0.0.1:" + std::to_string(receiver->getPort());
    relay->serve(kj::mv(receiver));
  }
  kj::Own<kj::AsyncIoStream> connect() {
    return network.parseAddress(address.c_str()).wait(uv.waitScope)->connect().wait(uv.waitScope);
  }
  kj::Own<kj::AsyncIoStream> come(Wish wish, RelayName name) {
    auto stream = connect();
    greet(*stream, wish, name);
    return stream;
  }
  void greet(kj::AsyncIoStream& stream, Wish wish, RelayName name) {
    auto hello = RelayHello{wish, name}.write();
    stream.write(hello.begin(), hello.size()).wait(uv.waitScope);
  }
  kj::Own<kj::AsyncIoStream> waitAs(RelayName name) {
    auto before = relay->count().waiting;
    auto stream = come(Wish::WAIT, name);
    REQUIRE(eventually([&]() { return relay->count().waiting == before + 1; }));
    return stream;
  }
  void say(kj::AsyncIoStream& stream, kj::StringPtr text) {
    stream.write(text.begin(), text.size()).wait(uv.waitScope);
  }
  void say(kj::AsyncIoStream& stream, RelayWaiter word) {
    auto byte = static_cast<kj::byte>(word);
    stream.write(&byte, 1).wait(uv.waitScope);
  }
  RelayAnswer answer(kj::AsyncIoStream& stream) {
    kj::byte byte;
    stream.read(&byte, 1).wait(uv.waitScope);
    return static_cast<RelayAnswer>(byte);
  }
  // Whether the relay hung up, in the time that it takes or that is given.
  bool isOver(kj::AsyncIoStream& stream, kj::Duration within = 1 * kj::SECONDS) {
    kj::byte byte;
    auto read =
        stream.tryRead(&byte, 1, 1)
            .then([](size_t size) { return size == 0; }, [](kj::Exception&&) { return true; });
    auto late = uv.timer().afterDelay(within).then([]() { return false; });
    return read.exclusiveJoin(kj::mv(late)).wait(uv.waitScope);
  }
  template <typename Condition>
  bool eventually(Condition&& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i)
      uv.timer().afterDelay(5 * kj::MILLISECONDS).wait(uv.waitScope);
    return condition();
  }
};

TEST_CASE("who calls a name is joined with who waits under it, and their bytes cross unchanged") {
  Relayed world;
  auto waiter = world.waitAs(named(1));
  world.say(*waiter, RelayWaiter::WAITING);
  auto caller = world.come(Wish::CALL, named(1));
  REQUIRE(world.answer(*waiter) == RelayAnswer::JOINED);
  world.say(*waiter, RelayWaiter::WAITING);  // said when the relay's word was on its way
  world.say(*waiter, RelayWaiter::READY);
  REQUIRE(world.answer(*caller) == RelayAnswer::JOINED);
  world.say(*caller, "there");
  world.say(*waiter, "back");
  waiter->shutdownWrite();
  REQUIRE(caller->readAllText().wait(world.uv.waitScope) == "back");
  caller->shutdownWrite();
  REQUIRE(waiter->readAllText().wait(world.uv.waitScope) == "there");
  REQUIRE(world.eventually([&]() { return world.relay->count().connections == 0; }));
  REQUIRE(world.relay->count().bytes == 9);
}

TEST_CASE("who calls a name that nobody waits under is told so, and may try a few others") {
  Relayed world;
  auto caller = world.come(Wish::CALL, named(0));
  for (kj::byte i = 1; i < RelayServer::CALLS_MAX; ++i) {
    REQUIRE(world.answer(*caller) == RelayAnswer::NOBODY);
    world.greet(*caller, Wish::CALL, named(i));
  }
  REQUIRE(world.answer(*caller) == RelayAnswer::NOBODY);
  REQUIRE(world.isOver(*caller));
}

TEST_CASE(
    "of several that wait under a name the newest is called, and one that is gone is passed over") {
  Relayed world;
  auto older = world.waitAs(named(1));
  auto newer = world.waitAs(named(1));
  auto caller = world.come(Wish::CALL, named(1));
  REQUIRE(world.answer(*newer) == RelayAnswer::JOINED);
  newer = nullptr;  // instead of READY
  REQUIRE(world.answer(*older) == RelayAnswer::JOINED);
  world.say(*older, RelayWaiter::READY);
  REQUIRE(world.answer(*caller) == RelayAnswer::JOINED);
}

TEST_CASE("under one name only so many wait, and the oldest gives way") {
  Relayed world;
  auto oldest = world.waitAs(named(1));
  std::vector<kj::Own<kj::AsyncIoStream>> others;
  for (size_t i = 0; i < RelayServer::WAITING_UNDER_NAME_MAX; ++i)
    others.push_back(world.come(Wish::WAIT, named(1)));
  REQUIRE(world.isOver(*oldest));
  REQUIRE(world.relay->count().waiting == RelayServer::WAITING_UNDER_NAME_MAX);
}

TEST_CASE("a device that hangs up or talks while it waits is forgotten") {
  Relayed world;
  auto one = world.waitAs(named(1)), other = world.waitAs(named(2));
  one = nullptr;
  world.say(*other, "GET / HTTP/1.1\r\n");
  REQUIRE(world.eventually([&]() { return world.relay->count().waiting == 0; }));
  REQUIRE(world.eventually([&]() { return world.relay->count().connections == 0; }));
  REQUIRE(world.isOver(*other));
}

TEST_CASE("whoever says no hello is hung up on") {
  Relayed world;
  auto web = world.connect();
  world.say(*web, "GET / HTTP/1.1\r\nHost: relay\r\n\r\n");
  REQUIRE(world.isOver(*web));
  auto silent = world.connect();
  REQUIRE(world.isOver(*silent, RelayServer::HELLO_WITHIN + 2 * kj::SECONDS));
  REQUIRE(world.relay->count().connections == 0);
}

TEST_CASE("one source has so many connections, and all together so many") {
  constexpr size_t OF_SOURCE = 4, ALL = 6;
  Relayed world({.connections = ALL, .connectionsOfSource = OF_SOURCE});
  std::vector<kj::Own<kj::AsyncIoStream>> held;
  for (kj::byte i = 0; i < OF_SOURCE; ++i) held.push_back(world.waitAs(named(i)));
  REQUIRE(world.isOver(*world.connect()));
  REQUIRE(world.relay->count().refused == 1);
  REQUIRE(world.relay->count().connections == OF_SOURCE);
  held.pop_back();
  REQUIRE(world.eventually([&]() { return world.relay->count().waiting == OF_SOURCE - 1; }));
  REQUIRE(world.waitAs(named(9)).get() != nullptr);
}

TEST_CASE("a full relay takes nobody, from wherever he comes") {
  Relayed world({.connections = 2});
  auto one = world.waitAs(named(1)), other = world.waitAs(named(2));
  REQUIRE(world.isOver(*world.connect()));
  REQUIRE(world.relay->count().connections == 2);
}

TEST_CASE("a pair keeps to its rate, and who does not read holds the other back") {
  constexpr uint64_t RATE = 200'000;
  Relayed world({.bytesPerSOfPair = RATE});
  auto waiter = world.waitAs(named(1));
  auto caller = world.come(Wish::CALL, named(1));
  REQUIRE(world.answer(*waiter) == RelayAnswer::JOINED);
  world.say(*waiter, RelayWaiter::READY);
  REQUIRE(world.answer(*caller) == RelayAnswer::JOINED);
  auto data = kj::heapArray<kj::byte>(64 << 20);
  memset(data.begin(), 1, data.size());
  auto writing = caller->write(data.begin(), data.size()).eagerlyEvaluate(nullptr);
  auto reading = waiter->readAllBytes().eagerlyEvaluate(nullptr);
  world.uv.timer().afterDelay(1 * kj::SECONDS).wait(world.uv.waitScope);
  auto before = world.relay->count().bytes;
  world.uv.timer().afterDelay(2 * kj::SECONDS).wait(world.uv.waitScope);
  auto passed = world.relay->count().bytes - before;
  REQUIRE(passed > RATE);
  REQUIRE(passed < 3 * RATE);
}

// What a circle of two says of itself.
struct Named final: public Finder::Beacons {
  DeviceId own, other;
  uint64_t epoch = 1;

  crypto::Beacon beaconOf(const DeviceId& device, uint64_t slot) {
    crypto::Beacon beacon;
    beacon.bytes[0] = device.bytes[0];
    memcpy(beacon.bytes + 1, &slot, sizeof(slot));
    beacon.bytes[10] = static_cast<kj::byte>(epoch);
    return beacon;
  }
  kj::Maybe<crypto::Beacon> ownBeacon(uint64_t slot) override { return beaconOf(own, slot); }
  std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t slot) override {
    return {{other, beaconOf(other, slot)}};
  }
};

struct Clients: public Relayed, private RelayWaiting::Host {
  struct WallClock final: public kj::Clock {
    kj::Date date = kj::UNIX_EPOCH + 20'000 * kj::DAYS;
    kj::Date now() const override { return date; }
  } clock;
  Named annas, bens;
  RelayConnector connector{{uv.timer(), clock, network, annas}};
  RelayWaiting waiting{{uv.timer(), clock, network, bens}, *this};
  std::vector<kj::Own<kj::AsyncIoStream>> called;

  Clients() {
    annas.own.bytes[0] = bens.other.bytes[0] = 1;
    annas.other.bytes[0] = bens.own.bytes[0] = 2;
  }
  kj::Maybe<kj::Own<kj::AsyncIoStream>> callBen() {
    try {
      return connector.connect(annas.other, {Path::Kind::RELAY, address}).wait(uv.waitScope);
    } catch (const kj::Exception& e) {
      REQUIRE(e.getType() == kj::Exception::Type::DISCONNECTED);
      return nullptr;
    }
  }
  void calledThrough(const Path& relay, kj::Own<kj::AsyncIoStream> stream) override {
    REQUIRE(relay == Path{Path::Kind::RELAY, address});
    called.push_back(kj::mv(stream));
  }
  bool benWaits() {
    return eventually([&]() { return relay->count().waiting == 1; });
  }
};

TEST_CASE("a device that waits at a relay is called there, again and again") {
  Clients world;
  REQUIRE(world.callBen() == nullptr);
  world.waiting.waitAt({world.address});
  for (size_t i = 1; i <= 3; ++i) {
    REQUIRE(world.benWaits());
    auto stream = KJ_REQUIRE_NONNULL(world.callBen());
    REQUIRE(world.eventually([&]() { return world.called.size() == i; }));
    world.say(*stream, "x");
    kj::byte byte;
    world.called.back()->read(&byte, 1).wait(world.uv.waitScope);
    REQUIRE(byte == 'x');
  }
}

TEST_CASE("a caller whose clock is a quarter of an hour off finds the device all the same") {
  Clients world;
  world.waiting.waitAt({world.address});
  REQUIRE(world.benWaits());
  world.clock.date += static_cast<int64_t>(crypto::BEACON_SLOT_S) * kj::SECONDS;
  REQUIRE(world.callBen() != nullptr);
}

TEST_CASE("in a new epoch a device waits under another name") {
  Clients world;
  world.waiting.waitAt({world.address});
  REQUIRE(world.benWaits());
  ++world.annas.epoch;
  REQUIRE(world.callBen() == nullptr);
  ++world.bens.epoch;
  world.waiting.circleChanged();
  REQUIRE(world.benWaits());
  REQUIRE(world.eventually([&]() { return world.callBen() != nullptr; }));
}

TEST_CASE("names at a relay are none that a local link hears") {
  REQUIRE(relaySlot(crypto::beaconSlot(1'700'000'000)) != crypto::beaconSlot(1'700'000'000));
  REQUIRE(relaySlot(1) != relaySlot(2));
}

TEST_CASE(
    "a device waits at no more relays than its limit, and leaves those that it is told to leave") {
  Clients world;
  std::vector<std::string> many = {world.address, "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"};
  world.waiting.waitAt(many);
  REQUIRE(world.benWaits());
  REQUIRE(world.waiting.waitingAt() == std::set<std::string>{world.address});
  world.waiting.waitAt({});
  REQUIRE(world.eventually([&]() { return world.relay->count().connections == 0; }));
}

}  // namespace
}  // namespace hearth::transport
