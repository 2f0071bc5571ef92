#include "tests/simulator/wires.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto MS = kj::MILLISECONDS;
constexpr auto S = kj::SECONDS;
constexpr kj::Duration PATIENCE = NetworkStack::CONNECT_GIVE_UP_AFTER;

NetworkKind home() {
  auto kind = Wires::lan();
  kind.name = "home";
  return kind;
}

NetworkKind cloud() {
  auto kind = Wires::lan();
  kind.name = "cloud";
  kind.letsIn = true;
  return kind;
}

TEST_CASE("a call takes a round trip") {
  Wires world;
  world.join(world.lan(), {0, 1});
  world.listen(1);
  auto call = world.call(0, 1);
  world.run(1 * S);
  REQUIRE(call->value != nullptr);
  REQUIRE(call->at == 20 * MS);
}

TEST_CASE("a call to a port at which nobody listens is refused after a round trip") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto call = world.call(0, 1);
  world.run(1 * S);
  REQUIRE(call->isDisconnected());
  REQUIRE(call->at == 20 * MS);
}

TEST_CASE("a call to a device that is off fails when the kernel has lost its patience") {
  Wires world;
  world.join(world.lan(), {0, 1});
  world.listen(1);
  world.boxes[1]->on = false;
  auto call = world.call(0, 1);
  world.run(PATIENCE - 1 * S);
  REQUIRE(call->isOpen());
  world.run(2 * S);
  REQUIRE(call->isDisconnected());
}

TEST_CASE("a call gets through when the cut is mended while the kernel still tries") {
  Wires world;
  world.join(world.lan(), {0, 1});
  world.listen(1);
  world.terrain.cut(0, 1);
  auto call = world.call(0, 1);
  world.run(10 * S);
  REQUIRE(call->isOpen());
  world.terrain.mend(0, 1);
  world.run(30 * S);
  REQUIRE(call->value != nullptr);
  REQUIRE(call->at == 15 * S + 20 * MS);
}

TEST_CASE("a call whose answers are cut off is not made") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto accepted = world.watch(world.listen(1).accept());
  world.terrain.cut(1, 0);
  auto call = world.call(0, 1);
  world.run(1 * kj::HOURS);
  REQUIRE(call->isDisconnected());
  REQUIRE(accepted->isOpen());
}

TEST_CASE("a call to a device that sleeps gets through when it wakes") {
  Wires world;
  world.join(world.lan(), {0, 1});
  world.listen(1);
  world.boxes[1]->clock.suspend();
  auto call = world.call(0, 1);
  world.run(20 * S);
  REQUIRE(call->isOpen());
  world.boxes[1]->clock.resume();
  world.run(20 * S);
  REQUIRE(call->value != nullptr);
}

TEST_CASE("a device that sleeps calls nobody") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto accepted = world.watch(world.listen(1).accept());
  auto call = world.call(0, 1);
  world.boxes[0]->clock.suspend();
  world.run(20 * S);
  REQUIRE(call->isOpen());
  REQUIRE(accepted->isOpen());
  world.boxes[0]->clock.resume();
  world.run(20 * S);
  REQUIRE(call->value != nullptr);
}

TEST_CASE("a call without a network fails at once") {
  Wires world;
  world.join(world.lan(), {0, 1});
  world.terrain.attach(0, {});
  auto call = world.call(0, 1);
  world.run(0 * S);
  REQUIRE(call->isDisconnected());
}

TEST_CASE("a call that is dropped while it is under way is never made") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto accepted = world.watch(world.listen(1).accept());
  auto call = world.call(0, 1);
  world.run(15 * MS);
  call = nullptr;
  world.run(1 * S);
  REQUIRE(accepted->isOpen());
}

TEST_CASE("an accept that is dropped loses no call") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto& receiver = world.listen(1);
  auto dropped = world.watch(receiver.accept());
  dropped = nullptr;
  auto call = world.call(0, 1);
  world.run(1 * S);
  auto accepted = world.watch(receiver.accept());
  world.run(0 * S);
  REQUIRE(accepted->value != nullptr);
}

TEST_CASE("calls past the backlog wait until somebody accepts") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto& receiver = world.listen(1);
  std::vector<kj::Own<Watched<Wires::Stream>>> calls;
  for (size_t i = 0; i < NetworkStack::BACKLOG_MAX; ++i) calls.push_back(world.call(0, 1));
  world.run(1 * S);
  auto last = world.call(0, 1);
  world.run(1 * S - 1 * MS);
  REQUIRE(calls.back()->value != nullptr);
  REQUIRE(last->isOpen());
  auto accepted = world.watch(receiver.accept());
  world.run(2 * S);
  REQUIRE(last->value != nullptr);
}

TEST_CASE("a port that is in use cannot be listened at, and is free when its receiver is gone") {
  Wires world;
  world.join(world.lan(), {0});
  world.listen(0);
  REQUIRE_THROWS(world.listen(0));
  world.receivers.clear();
  REQUIRE_NOTHROW(world.listen(0));
}

TEST_CASE("both ends name each other's addresses") {
  Wires world;
  world.join(world.lan(), {0, 1});
  auto pair = world.connect(0, 1);
  struct Address {
    uint16_t family, port;
    uint32_t ip;
    char zero[8];
  } peer = {}, self = {};
  kj::uint size = sizeof(Address);
  pair.caller->getpeername(reinterpret_cast<struct sockaddr*>(&peer), &size);
  pair.called->getsockname(reinterpret_cast<struct sockaddr*>(&self), &size);
  REQUIRE(peer.ip == self.ip);
  REQUIRE(peer.port == self.port);
  pair.caller->getsockname(reinterpret_cast<struct sockaddr*>(&self), &size);
  pair.called->getpeername(reinterpret_cast<struct sockaddr*>(&peer), &size);
  REQUIRE(peer.ip == self.ip);
  REQUIRE(peer.port == self.port);
}

TEST_CASE("a call into a home from outside gets nowhere, one out of it is answered") {
  Wires world;
  auto inside = world.join(home(), {0});
  auto outside = world.join(cloud(), {1});
  world.listen(0);
  auto in = world.call(1, 0, inside);
  auto pair = world.connect(0, 1, outside);
  auto reply = world.write(pair.called, "reply");
  auto got = world.read(pair.caller, 5);
  world.run(1 * kj::HOURS);
  REQUIRE(in->isDisconnected());
  REQUIRE(**got == "reply");
}

TEST_CASE("a path over two networks takes the latency of both") {
  Wires world;
  world.join(home(), {0});
  auto outside = world.join(cloud(), {1});
  world.listen(1);
  auto call = world.call(0, 1, outside);
  world.run(1 * S);
  REQUIRE(call->at == 40 * MS);
}

TEST_CASE("guests of a network that isolates them see the world, and not each other") {
  Wires world;
  auto guests = home();
  guests.isolates = true;
  auto hotel = world.join(guests, {0, 1});
  auto outside = world.join(cloud(), {2});
  world.listen(1);
  world.listen(2);
  auto neighbour = world.call(0, 1, hotel);
  auto far = world.call(0, 2, outside);
  world.run(1 * kj::HOURS);
  REQUIRE(neighbour->isDisconnected());
  REQUIRE(far->value != nullptr);
}

TEST_CASE("behind a portal every call is answered by a web page, until somebody has logged in") {
  Wires world;
  auto hotel = world.join(home(), {0});
  auto outside = world.join(cloud(), {1});
  auto accepted = world.watch(world.listen(1).accept());
  world.terrain.setPortal(hotel, true);
  auto call = world.call(0, 1, outside);
  world.run(1 * S);
  auto page = world.read(KJ_ASSERT_NONNULL(call->value), 1'000);
  world.run(1 * S);
  REQUIRE((**page).starts_with("HTTP/1.1 302"));
  REQUIRE(accepted->isOpen());
  world.terrain.setPortal(hotel, false);
  auto second = world.call(0, 1, outside);
  world.run(1 * S);
  REQUIRE(accepted->value != nullptr);
}

TEST_CASE("a device with a second network goes around the portal") {
  Wires world;
  auto hotel = world.join(home(), {0});
  auto outside = world.join(cloud(), {1});
  world.join(home(), {0});
  auto accepted = world.watch(world.listen(1).accept());
  world.terrain.setPortal(hotel, true);
  auto call = world.call(0, 1, outside);
  world.run(1 * S);
  REQUIRE(accepted->value != nullptr);
}

}  // namespace
}  // namespace hearth::sim
