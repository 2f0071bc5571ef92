// Two admins make a third, with the shipping code on every device: whoever is away meanwhile, and whatever
// restarts, it comes about once both have said so, and not before.

#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;

// Phone and laptop are admins, the tablet is a member; the phone has taken its second keys.
struct TwoAdmins {
  Profile phoneKind = profileOf("phone", {}), laptopKind = profileOf("laptop", {}),
          tabletKind = profileOf("tablet", {}), newKind = profileOf("newcomer", {});
  World world{7};
  People people{world};
  NetworkIndex wifi;

  // `latency`: of every packet on its way.
  explicit TwoAdmins(kj::Duration latency = 1 * kj::MILLISECONDS)
      : wifi(world.addNetwork(
            NetworkKind{.name = "wifi", .latencyMin = latency, .latencyMax = latency})) {
    for (auto kind: {&phoneKind, &laptopKind, &tabletKind, &newKind}) {
      auto& device = world.addDevice(kind->name, *kind);
      device.mayVisit(wifi);
      device.put({wifi});
      device.powerOn();
    }
    world.add(settle());
    world.run(120 * S);
    REQUIRE(admins(phone()) == 2);
  }

  Device& phone() { return world.device("phone"); }
  Device& laptop() { return world.device("laptop"); }
  Device& tablet() { return world.device("tablet"); }
  devices::Node& nodeOf(Device& device) { return KJ_ASSERT_NONNULL(device.node()); }
  size_t admins(Device& device) { return nodeOf(device).circle().state().countActiveAdmins(); }
  size_t pending(Device& device) { return nodeOf(device).desk().pending().size(); }

  kj::Promise<void> settle() {
    co_await people.found(phone());
    co_await world.time.after(1 * S);
    KJ_ASSERT(co_await people.pair(laptop(), phone(), crypto::Role::ADMIN));
    KJ_ASSERT(co_await people.pair(tablet(), phone()));
  }
  void askForTablet() {
    kj::Maybe<bool> made;
    world.add(people.makeAdmin(phone(), tablet()).then([&](kj::Maybe<bool> m) { made = m; }));
    world.run(5 * S);
    REQUIRE(made == false);
  }
  uint32_t approve(Device& device) {
    kj::Maybe<uint32_t> done;
    world.add(people.approveAll(device).then([&](uint32_t d) { done = d; }));
    world.run(10 * S);
    return KJ_ASSERT_NONNULL(done);
  }
};

TEST_CASE("two admins make a third at once when both are there") {
  TwoAdmins home;
  home.askForTablet();
  REQUIRE(home.pending(home.phone()) == 1);
  REQUIRE(home.pending(home.laptop()) == 1);
  REQUIRE(home.admins(home.laptop()) == 2);
  REQUIRE(home.approve(home.laptop()) == 1);
  for (auto device: {&home.phone(), &home.laptop(), &home.tablet()})
    REQUIRE(home.admins(*device) == 3);
  REQUIRE(home.pending(home.phone()) == 0);
  REQUIRE(home.pending(home.laptop()) == 0);
}

TEST_CASE("a question survives restarts of both, and an answer its asker's absence") {
  TwoAdmins home;
  home.laptop().losePower();
  home.world.run(5 * S);
  home.askForTablet();
  home.phone().kill();
  home.phone().start();
  home.laptop().powerOn();
  home.world.run(30 * S);
  REQUIRE(home.pending(home.laptop()) == 1);
  home.phone().losePower();
  home.world.run(10 * S);
  REQUIRE(home.approve(home.laptop()) == 0);
  home.laptop().kill();
  home.laptop().start();
  home.world.run(10 * S);
  REQUIRE(home.admins(home.laptop()) == 2);
  home.phone().powerOn();
  home.world.run(60 * S);
  for (auto device: {&home.phone(), &home.laptop(), &home.tablet()})
    REQUIRE(home.admins(*device) == 3);
}

TEST_CASE("one admin alone never makes another, however long it asks") {
  TwoAdmins home;
  home.askForTablet();
  home.world.run(8 * kj::DAYS);
  for (auto device: {&home.phone(), &home.laptop(), &home.tablet()})
    REQUIRE(home.admins(*device) == 2);
  REQUIRE(home.pending(home.phone()) == 0);
  REQUIRE(home.pending(home.laptop()) == 0);
}

TEST_CASE("what an admin refuses or its asker takes back is over on both") {
  TwoAdmins home;
  home.askForTablet();
  auto id = home.nodeOf(home.phone()).desk().pending().front().id;
  SECTION("refused") {
    home.world.add(home.nodeOf(home.laptop()).desk().decide(id, false).ignoreResult());
  }
  SECTION("taken back") {
    home.world.add(home.nodeOf(home.phone()).desk().decide(id, false).ignoreResult());
  }
  home.world.run(10 * S);
  REQUIRE(home.pending(home.phone()) == 0);
  REQUIRE(home.pending(home.laptop()) == 0);
  REQUIRE(home.admins(home.phone()) == 2);
}

TEST_CASE("what is taken back while the other admin signs it does not come about") {
  TwoAdmins home(500 * kj::MILLISECONDS);
  home.askForTablet();
  auto& asking = home.nodeOf(home.phone()).desk();
  auto id = asking.pending().front().id;
  home.world.add(home.nodeOf(home.laptop()).desk().decide(id, true).ignoreResult());
  auto hasAgreed = [&]() { return asking.pending().front().agreed; };
  for (int i = 0; i < 100 && !hasAgreed(); ++i) home.world.run(50 * kj::MILLISECONDS);
  REQUIRE(hasAgreed());
  home.world.add(asking.decide(id, false).ignoreResult());
  home.world.run(20 * S);
  for (auto device: {&home.phone(), &home.laptop(), &home.tablet()})
    REQUIRE(home.admins(*device) == 2);
}

TEST_CASE("a new admin waits at its join until the other admin has agreed, and is in then") {
  TwoAdmins home;
  auto& newcomer = home.world.device("newcomer");
  kj::Maybe<bool> paired;
  home.world.add(home.people.pair(newcomer, home.phone(), crypto::Role::ADMIN).then([&](bool p) {
    paired = p;
  }));
  home.world.run(60 * kj::MINUTES);  // longer than any window of a pairing
  REQUIRE(paired == nullptr);
  REQUIRE(home.pending(home.laptop()) == 1);
  REQUIRE(home.approve(home.laptop()) == 1);
  home.world.run(30 * S);
  REQUIRE(paired == true);
  REQUIRE(home.admins(home.laptop()) == 3);
  REQUIRE(home.nodeOf(newcomer).circle().ownRole() == crypto::Role::ADMIN);
}

TEST_CASE("a new admin that went away meanwhile comes in when it is paired again") {
  TwoAdmins home;
  auto& newcomer = home.world.device("newcomer");
  home.world.add(home.people.pair(newcomer, home.phone(), crypto::Role::ADMIN)
          .ignoreResult()
          .catch_([](kj::Exception&&) {}));
  home.world.run(60 * S);
  REQUIRE(home.pending(home.laptop()) == 1);
  newcomer.losePower();
  home.world.run(60 * S);
  REQUIRE(home.approve(home.laptop()) == 1);
  newcomer.powerOn();
  home.world.run(10 * S);
  REQUIRE_FALSE(newcomer.inCircle());
  kj::Maybe<bool> paired;
  home.world.add(home.people.pair(newcomer, home.phone(), crypto::Role::ADMIN).then([&](bool p) {
    paired = p;
  }));
  home.world.run(60 * S);
  REQUIRE(paired == true);
  REQUIRE(home.nodeOf(newcomer).circle().ownRole() == crypto::Role::ADMIN);
}

}  // namespace
}  // namespace hearth::sim
