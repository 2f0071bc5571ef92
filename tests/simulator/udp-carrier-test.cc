// The UDP carrier on simulated networks: radios, NATs, loss, doubles and disorder as a world has them.

#include "tests/simulator/wires.h"
#include "transport/datagram/udp-host.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using namespace transport;
constexpr auto S = kj::SECONDS;

// A host on each of two boxes, and a stream between them.
struct Carried {
  Wires& world;
  SeededEntropy entropy;
  crypto::DhPublic keys[2] = {entropy.draw<crypto::DhPublic>(), entropy.draw<crypto::DhPublic>()};
  kj::Own<UdpHost> hosts[2];
  kj::Own<kj::ConnectionReceiver> receiver;
  Wires::Stream caller, called;

  Carried(Wires& world, uint64_t seed): world(world), entropy(Chance::of(seed, "udp carrier")) {
    for (DeviceIndex device: {0, 1}) hosts[device] = bind(device);
    receiver = hosts[1]->listen();
  }

  kj::Own<UdpHost> bind(DeviceIndex device) {
    auto& stack = world.boxes[device]->stack;
    auto address = stack.parseAddress(kj::str("*:", Wires::PORT)).wait(world.scope);
    return kj::heap<UdpHost>(batchesOf(address->bindDatagramPort(), stack), keys[device],
        world.boxes[device]->clock.timer(), entropy);
  }

  // Says hello there and back, as a handshake would, and takes the keys.
  void connect(kj::StringPtr ip) {
    auto accepted = world.watch(receiver->accept());
    auto to = UdpAddress::parse(kj::str(ip, ':', Wires::PORT));
    auto connected = world.watch(hosts[0]->connect(KJ_ASSERT_NONNULL(to), keys[1]));
    world.run(5 * S);
    caller = kj::mv(KJ_REQUIRE_NONNULL(connected->value));
    auto hello = world.write(caller, "hello");
    world.run(10 * S);
    called = kj::mv(KJ_REQUIRE_NONNULL(accepted->value));
    auto heard = world.read(called, 5);
    auto answer = world.write(called, "hello");
    auto answered = world.read(caller, 5);
    secure(*called, 2, 1);
    world.run(20 * S);
    REQUIRE(KJ_ASSERT_NONNULL(heard->value) == "hello");
    REQUIRE(KJ_ASSERT_NONNULL(answered->value) == "hello");
    secure(*caller, 1, 2);
  }
  static void secure(kj::AsyncIoStream& stream, kj::byte sending, kj::byte receiving) {
    auto key = [](kj::byte value) {
      return PacketKey::make([&](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), value, 32); });
    };
    dynamic_cast<Secured&>(stream).secure({key(sending), key(receiving)});
  }

  // Whether so many bytes cross from `from` to `to` in that time, all right.
  bool carries(Wires::Stream& from, Wires::Stream& to, size_t size, kj::Duration most) {
    auto written = world.write(from, size);
    auto read = world.read(to, size);
    for (auto until = world.time.elapsed() + most; read->isOpen() && world.time.elapsed() < until;)
      world.run(1 * S);
    if (read->isOpen()) return false;
    auto& got = KJ_ASSERT_NONNULL(read->value);
    for (size_t i = 0; i < size; ++i) {
      if (static_cast<kj::byte>(got[i]) != static_cast<kj::byte>(i * 31 >> 3)) return false;
    }
    return got.size() == size;
  }
};

TEST_CASE("every byte crosses a bad simulated network by UDP, both ways, 300 seeds") {
  uint64_t tamperings = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    auto kind = Wires::lan();
    kind.lossPermille = static_cast<uint32_t>(50 + seed % 4 * 50);
    kind.duplicatePermille = 50;
    kind.reorderPermille = 100;
    Wires world(seed);
    world.join(kind, {0, 1});
    Carried carried(world, seed);
    carried.connect("10.0.0.1");
    world.terrain.trouble(0, 1).tampered = 50;
    REQUIRE(carried.carries(carried.caller, carried.called, 100'000, 600 * S));
    REQUIRE(carried.carries(carried.called, carried.caller, 30'000, 600 * S));
    tamperings += world.tamperings;
  }
  REQUIRE(tamperings > 300);
}

TEST_CASE("a carrier survives that a NAT forgets it, as soon as it sends something") {
  Wires world;
  auto home = world.join(Wires::lan(), {0});
  auto open = Wires::lan();
  open.letsIn = true;
  auto cloud = world.join(open, {1});
  Carried carried(world, 1);
  carried.connect(toText(Terrain::addressIn(cloud, 1)));
  auto seenAt = [&]() {
    struct sockaddr_storage raw = {};
    kj::uint length = sizeof(raw);
    carried.called->getpeername(reinterpret_cast<struct sockaddr*>(&raw), &length);
    return UdpAddress::of(SocketAddress::from(&raw, length));
  };
  auto before = seenAt();
  for (int i = 0; i < 5; ++i) {
    world.terrain.rebind(home);
    REQUIRE(carried.carries(carried.caller, carried.called, 200'000, 30 * S));
    REQUIRE(carried.carries(carried.called, carried.caller, 200'000, 30 * S));
  }
  REQUIRE(seenAt() != before);
}

TEST_CASE("an idle carrier sends nothing for a day") {
  Wires world;
  world.join(Wires::lan(), {0, 1});
  Carried carried(world, 1);
  carried.connect("10.0.0.1");
  REQUIRE(carried.carries(carried.caller, carried.called, 1'000, 10 * S));
  world.run(60 * S);
  auto sent = world.boxes[0]->sent + world.boxes[1]->sent;
  world.run(86'400 * S);
  REQUIRE(world.boxes[0]->sent + world.boxes[1]->sent == sent);
}

}  // namespace
}  // namespace hearth::sim
