// A device that takes other keys while its disk is full: the attempt fails, whatever it had come to, and
// the next one that the disk lets through succeeds.

#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;

DeviceId idOf(const Device& device) { return KJ_ASSERT_NONNULL(device.id()); }

// A phone that is about to take other keys, since a tablet is the second admin of its circle.
struct OutgrownPhone: Home {
  Profile tabletKind = profileOf("tablet", {});
  Device& phone = world.device("phone");
  DeviceId first = idOf(phone);
  uint32_t starts = phone.starts;

  OutgrownPhone(): Home(1) {
    auto& tablet = addAtHome(tabletKind);
    world.add(people.pair(tablet, phone, crypto::Role::ADMIN).ignoreResult());
  }

  // From the first write on for which `holds` the disk is full.
  void fillWhen(kj::Function<bool()> holds) {
    phone.disk.beforeWrite = [this, holds = kj::mv(holds)]() mutable {
      if (!refuses && holds()) phone.disk.full = refuses = true;
    };
  }
  void makeRoom() {
    phone.disk.beforeWrite = []() {};
    phone.disk.full = false;
  }
  devices::Node& node() { return KJ_ASSERT_NONNULL(phone.node()); }
  bool hasOtherKeys() { return idOf(phone) != first; }
  bool hasPrepared() { return phone.disk.contents().contains("keys/next"); }
  bool isNamed() { return !node().circle().isActive(first); }

  bool refuses = false;
};

class Unasked final: public devices::PairingPerson {
 public:
  kj::Promise<bool> compare(const crypto::Sas&) override { KJ_UNREACHABLE; }
  kj::Promise<bool> confirm(const devices::DeviceView&) override { KJ_UNREACHABLE; }
  void waits(const devices::PendingView&) override { KJ_UNREACHABLE; }
};

TEST_CASE("a rotation that the disk refuses is made again, wherever it had come to") {
  OutgrownPhone home;
  auto ready = [&]() { return home.node().circle().state().countActiveAdmins() == 2; };
  SECTION("before the new keys are on disk") {
    while (!ready()) home.world.run(1 * S);
    home.phone.disk.full = home.refuses = true;
  }
  SECTION("before the op that names them is") {
    home.fillWhen([&]() { return home.hasPrepared(); });
  }
  SECTION("before they take the old ones' place") {
    home.fillWhen([&]() { return home.isNamed(); });
  }
  for (int waited = 0; waited < 90 && !home.refuses; ++waited) home.world.run(1 * S);
  REQUIRE(home.refuses);
  home.world.run(30 * S);
  REQUIRE(home.phone.disk.refused > 1);
  REQUIRE(home.phone.starts == home.starts);
  REQUIRE_FALSE(home.hasOtherKeys());
  home.makeRoom();
  home.world.run(30 * S);
  REQUIRE(home.hasOtherKeys());
  REQUIRE(home.node().circle().isActive(idOf(home.phone)));
  REQUIRE(home.phone.starts == home.starts);
  REQUIRE_FALSE(home.phone.refusesToStart);
}

TEST_CASE("a device whose rotation the disk has refused may pair and remove meanwhile") {
  OutgrownPhone home;
  home.fillWhen([&]() { return home.hasPrepared(); });
  for (int waited = 0; waited < 90 && !home.refuses; ++waited) home.world.run(1 * S);
  home.world.run(5 * S);
  REQUIRE(home.phone.disk.refused > 0);
  REQUIRE_FALSE(home.isNamed());
  home.makeRoom();
  Unasked person;
  kj::Maybe<Errc> said;
  home.world.add(home.node()
          .pair(crypto::SasComparison(), {"10.0.0.9:7427"}, crypto::Role::MEMBER, person)
          .then([&](Result<devices::DeviceView> paired) { said = paired.error().code; }));
  bool removed = false;
  home.world.add(
      home.people.remove(home.phone, home.world.device("laptop"), crypto::RemoveReason::LOST)
          .then([&](bool done) { removed = done; }));
  home.world.run(10 * S);
  REQUIRE(said == Errc::PAIRING_CLOSED);
  REQUIRE(removed);
}

}  // namespace
}  // namespace hearth::sim
