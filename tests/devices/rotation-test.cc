#include "devices/node/private-file.h"
#include "devices/node/rotation.h"
#include "tests/devices/root-in-memory.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

// A device with a circle of its own, and another admin in it.
struct TwoAdmins {
  kj::Own<const kj::Directory> home = kj::newInMemoryDirectory(kj::nullClock());
  RootInMemory keys;
  crypto::CountingEntropy entropy{1};
  Identity identity = Identity::create(*home, keys, entropy, 0);
  crypto::RecoveryKeys recovery =
      crypto::RecoveryKeys::fromSeed(crypto::RecoverySeed::draw(entropy));
  kj::Own<crypto::MembershipLog> log;
  crypto::EpochKeys epochs;
  crypto::Device second{2};

  TwoAdmins() {
    auto genesis = crypto::authorGenesis(recovery, identity.keys, identity.bundle, 1, entropy);
    log = kj::heap<crypto::MembershipLog>(crypto::circleIdOf(genesis.op.body()));
    take(genesis);
    take(crypto::authorEpoch(*log, epochs, identity.keys, 1, entropy).value());
  }

  void take(const crypto::SealedOp& op) {
    REQUIRE(log->add(crypto::view(op.envelope)).has_value());
    epochs.learn(*log, identity.keys);
  }

  void addSecond() {
    crypto::Join join{log->circle(), second.bundle.hash(), identity.keys.id, crypto::Role::ADMIN};
    take(crypto::authorAdd(*log, epochs, identity.keys, second.bundle,
        second.bundle.seal(second.keys), join.seal(second.keys), crypto::Role::ADMIN, 1, entropy)
            .value());
  }

  void rotateTo(const Identity& next) {
    take(crypto::authorRotate(*log, epochs, identity.keys, next.keys, next.bundle, 1, entropy)
            .value());
  }

  // What the next process makes of the home.
  Identity restarted() {
    StoredCircle stored{.circle = log->circle()};
    for (auto envelope: log->envelopes()) stored.ops.push_back(kj::heapArray<kj::byte>(envelope));
    auto loaded = Identity::load(*home, keys).value();
    return settleIdentity(*home, kj::mv(KJ_ASSERT_NONNULL(loaded)), stored).value();
  }
};

TEST_CASE("keys that no op names yet are dropped at the next start") {
  TwoAdmins device;
  device.addSecond();
  device.identity.makeNext(*device.home, device.entropy);
  REQUIRE(device.restarted().keys.id == device.identity.keys.id);
  REQUIRE(device.identity.loadNext(*device.home).value() == nullptr);
}

TEST_CASE(
    "keys that an op on disk names are taken at the next start, wherever the last one ended") {
  TwoAdmins device;
  device.addSecond();
  auto next = device.identity.makeNext(*device.home, device.entropy);
  device.rotateTo(next);
  SECTION("before the rename") {}
  SECTION("behind it, before keys/next was gone") {
    Identity::adoptNext(*device.home);
    auto bytes = KJ_ASSERT_NONNULL(readPrivate(*device.home, kj::Path({"keys", "identity"})));
    writePrivate(*device.home, kj::Path({"keys", "next"}), bytes);
  }
  SECTION("when all was done") { Identity::adoptNext(*device.home); }
  auto again = device.restarted();
  REQUIRE(again.keys.id == next.keys.id);
  REQUIRE(again.database.equals(device.identity.database));
  REQUIRE(device.restarted().keys.id == next.keys.id);
}

TEST_CASE("the first admin's keys are to be replaced once there is a second admin, and only once") {
  TwoAdmins device;
  REQUIRE_FALSE(hasOutgrownItsKeys(*device.log, device.identity.keys.id));
  device.addSecond();
  REQUIRE(hasOutgrownItsKeys(*device.log, device.identity.keys.id));
  REQUIRE_FALSE(hasOutgrownItsKeys(*device.log, device.second.keys.id));
  auto next = device.identity.makeNext(*device.home, device.entropy);
  device.rotateTo(next);
  REQUIRE_FALSE(hasOutgrownItsKeys(*device.log, next.keys.id));
  REQUIRE_FALSE(hasOutgrownItsKeys(*device.log, device.identity.keys.id));
}

}  // namespace
}  // namespace hearth::devices
