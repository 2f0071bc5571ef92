// A whole link by way of a blind relay: honest, and one that changes what it carries.
#include "tests/transport/members.h"
#include "transport/relay/relay-client.h"
#include "transport/relay/relay-server.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::transport {
namespace {

constexpr kj::byte HEADER[] = {Member::STREAM_KIND};

class FixedClock final: public kj::Clock {
 public:
  kj::Date now() const override { return kj::UNIX_EPOCH + 20'000 * kj::DAYS; }
};

// Between the devices and the relay: it may change one bit of what goes to a device.
class Tamperer {
 public:
  Tamperer(UvLoop& uv, UvNetwork& network, std::string target)
      : network(network),
        target(kj::mv(target)),
        receiver(network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen()),
        accepting(acceptAll().eagerlyEvaluate(nullptr)) {}

  std::string address() { return "127.0.0.1:" + std::to_string(receiver->getPort()); }
  bool changes = false;
  size_t changed = 0;

 private:
  UvNetwork& network;
  std::string target;
  kj::Own<kj::ConnectionReceiver> receiver;
  kj::Vector<kj::Promise<void>> carried;
  kj::Promise<void> accepting;

  kj::Promise<void> acceptAll() {
    for (;;)
      carried.add(carry(co_await receiver->accept()).eagerlyEvaluate([](kj::Exception&&) {}));
  }
  kj::Promise<void> carry(kj::Own<kj::AsyncIoStream> device) {
    auto relay = co_await (co_await network.parseAddress(target.c_str()))->connect();
    co_await pump(*device, *relay, false).exclusiveJoin(pump(*relay, *device, true));
  }
  kj::Promise<void> pump(kj::AsyncIoStream& from, kj::AsyncIoStream& to, bool back) {
    kj::byte bytes[4096];
    for (;;) {
      auto size = co_await from.tryRead(bytes, 1, sizeof(bytes));
      if (size == 0) break;
      if (back && changes) {
        bytes[size - 1] ^= 1;
        ++changed;
      }
      co_await to.write(bytes, size);
    }
  }
};

// Anna and ben, whom nobody carries; ben waits at the relay.
struct RelayedLink: public Three, private RelayWaiting::Host, private Finder::Beacons {
  FixedClock clock;
  RelayServer relay{uv.timer(), {}};
  std::string relayAddress;
  kj::Own<Tamperer> tamperer;
  RelayParts parts{uv.timer(), clock, network, *this};
  RelayConnector connector{parts};
  RelayWaiting waiting{parts, *this};

  RelayedLink() {
    auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
    relayAddress = "127.0.0.1:" + std::to_string(receiver->getPort());
    relay.serve(kj::mv(receiver));
    tamperer = kj::heap<Tamperer>(uv, network, relayAddress);
    anna.links->plug(Path::Kind::RELAY, connector);
    waiting.waitAt({tamperer->address()});
    REQUIRE(eventually([&]() { return relay.count().waiting == 1; }));
    anna.links->setAddresses(ben.id(), {"127.0.0.1:1", "relay:" + tamperer->address()});
  }
  ~RelayedLink() { anna.links = nullptr; }

  kj::Maybe<crypto::Beacon> ownBeacon(uint64_t) override { return beacon(); }
  std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t) override {
    return {{ben.id(), beacon()}};
  }
  static crypto::Beacon beacon() {
    crypto::Beacon of;
    of.bytes[0] = 7;
    return of;
  }
  void calledThrough(const Path& path, kj::Own<kj::AsyncIoStream> stream) override {
    ben.links->answerOn(kj::mv(stream), path);
  }
  bool bothUp() {
    return eventually([&]() { return anna.isUp(ben) && ben.isUp(anna); });
  }
};

TEST_CASE("two that nothing else brings together have a link through a relay") {
  RelayedLink world;
  REQUIRE(world.bothUp());
  Path path{Path::Kind::RELAY, world.tamperer->address()};
  REQUIRE(world.anna.pathTo(world.ben) == path);
  REQUIRE(world.ben.pathTo(world.anna) == path);
  auto stream = world.anna.links->open(world.ben.id(), Lane::INTERACTIVE, HEADER).value();
  stream->write("by way of a relay", 17).wait(world.uv.waitScope);
  stream->shutdownWrite();
  REQUIRE(world.eventually([&]() { return world.ben.streams.size() == 1; }));
  REQUIRE(world.ben.streams[0]->readAllText().wait(world.uv.waitScope) == "by way of a relay");
}

TEST_CASE("a relay that changes a bit of a handshake brings nobody together") {
  RelayedLink world;
  world.tamperer->changes = true;
  REQUIRE(world.eventually([&]() { return world.tamperer->changed > 3; }));
  REQUIRE_FALSE(world.anna.isUp(world.ben));
  REQUIRE_FALSE(world.ben.isUp(world.anna));
}

TEST_CASE("a relay that changes a bit of a link ends it, and nothing that it made is taken in") {
  RelayedLink world;
  REQUIRE(world.bothUp());
  auto stream = world.anna.links->open(world.ben.id(), Lane::INTERACTIVE, HEADER).value();
  REQUIRE(world.eventually([&]() { return world.ben.streams.size() == 1; }));
  world.wait(200 * kj::MILLISECONDS);
  world.tamperer->changes = true;
  world.tamperer->changed = 0;
  stream->write("x", 1).wait(world.uv.waitScope);
  REQUIRE(world.eventually([&]() { return world.tamperer->changed > 0; }));
  REQUIRE(world.eventually([&]() { return world.ben.log.back() == "down"; }));
  kj::byte byte;
  auto took =
      world.ben.streams[0]
          ->tryRead(&byte, 1, 1)
          .then([](size_t size) { return size; }, [](kj::Exception&&) -> size_t { return 0; });
  REQUIRE(took.wait(world.uv.waitScope) == 0);
}

// Every device of the circle has one and the same name.
struct OneName final: public Finder::Beacons {
  kj::Maybe<crypto::Beacon> ownBeacon(uint64_t) override { return crypto::Beacon(); }
  std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t) override {
    return {{DeviceId(), crypto::Beacon()}};
  }
};

TEST_CASE("a relay that takes the call and says nothing is given up, with a line that says so") {
  UvLoop uv;
  UvNetwork network{uv.port};
  auto receiver = network.parseAddress("127.0.0.1:0").wait(uv.waitScope)->listen();
  auto accepting = receiver->accept().eagerlyEvaluate(nullptr);
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  FixedClock clock;
  OneName beacons;
  RelayConnector connector(RelayParts{timer, clock, network, beacons});
  auto place = "127.0.0.1:" + std::to_string(receiver->getPort());
  kj::String said;
  auto joining = connector.connect(DeviceId(), {Path::Kind::RELAY, place})
                     .then([](kj::Own<kj::AsyncIoStream>) {},
                         [&](kj::Exception&& e) { said = kj::str(e.getDescription()); })
                     .eagerlyEvaluate(nullptr);
  auto silent = accepting.wait(uv.waitScope);
  timer.advanceTo(timer.now() + RelayConnector::JOINED_WITHIN - 1 * kj::MILLISECONDS);
  REQUIRE_FALSE(joining.poll(uv.waitScope));
  timer.advanceTo(timer.now() + 1 * kj::MILLISECONDS);
  REQUIRE(joining.poll(uv.waitScope));
  REQUIRE(strstr(said.cStr(), "did not bring the two together in time") != nullptr);
}

}  // namespace
}  // namespace hearth::transport
