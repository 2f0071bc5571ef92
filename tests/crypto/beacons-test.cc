// Whose beacon a value is: of whom a device knows, in this epoch and those before.
#include "crypto/identity/join.h"
#include "crypto/membership/author.h"
#include "crypto/membership/beacons.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "seeded-entropy.h"

namespace hearth::crypto {
namespace {

constexpr uint64_t SLOT = 2'000'000;

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

struct Device {
  SeededEntropy entropy;
  DeviceKeys keys;
  Bundle bundle;
  kj::Own<MembershipLog> log;
  EpochKeys epochs;

  explicit Device(uint8_t seed)
      : entropy(seed),
        keys(DeviceKeys::fromRootSeed(RootSeed::draw(entropy))),
        bundle{Platform::LINUX, 0, 1, keys.publics} {}

  void take(Bytes envelope) {
    KJ_ASSERT(log->add(envelope).has_value());
    epochs.learn(*log, keys);
  }
  void takeAll(const Device& other) {
    if (log.get() == nullptr) log = kj::heap<MembershipLog>(other.log->circle());
    for (auto envelope: other.log->envelopes()) take(envelope);
  }
  void found() {
    auto recovery = RecoveryKeys::fromSeed(RecoverySeed::draw(entropy));
    auto genesis = authorGenesis(recovery, keys, bundle, 1, entropy);
    log = kj::heap<MembershipLog>(circleIdOf(genesis.op.body()));
    take(view(genesis.envelope));
    newEpoch();
  }
  void newEpoch() { take(view(authorEpoch(*log, epochs, keys, 1, entropy).value().envelope)); }
  void add(Device& other, Role role) {
    Join join{log->circle(), other.bundle.hash(), keys.id, role};
    auto op = authorAdd(*log, epochs, keys, other.bundle, other.bundle.seal(other.keys),
        join.seal(other.keys), role, 1, entropy);
    take(view(op.value().envelope));
    other.takeAll(*this);
  }
  void remove(const Device& other) {
    take(view(authorRemove(*log, keys, other.keys.id, RemoveReason::LOST, 1).envelope));
    newEpoch();
  }

  kj::Maybe<Beacon> own(uint64_t slot = SLOT) const {
    return ownBeacon(*log, epochs, keys.id, slot);
  }
  std::vector<DeviceBeacon> others(uint64_t slot = SLOT) const {
    return beaconsOfOthers(*log, epochs, keys.id, slot);
  }
  // Whether this device knows the value that `other` advertises as that device's.
  bool recognises(const Device& other) const {
    auto value = KJ_ASSERT_NONNULL(other.own());
    auto all = others();
    auto found = std::ranges::find(all, value, &DeviceBeacon::beacon);
    return found != all.end() && found->device == other.keys.id;
  }
};

struct Circle {
  Device phone{1}, laptop{2}, box{3};
  Circle() {
    phone.found();
    phone.add(laptop, Role::MEMBER);
  }
};

TEST_CASE("members know each other's beacons") {
  Circle circle;
  REQUIRE(circle.phone.recognises(circle.laptop));
  REQUIRE(circle.laptop.recognises(circle.phone));
}

TEST_CASE("a beacon is another one in the next slot and in the next epoch") {
  Circle circle;
  auto now = KJ_ASSERT_NONNULL(circle.phone.own());
  REQUIRE(KJ_ASSERT_NONNULL(circle.phone.own(SLOT + 1)) != now);
  circle.phone.newEpoch();
  REQUIRE(KJ_ASSERT_NONNULL(circle.phone.own()) != now);
}

TEST_CASE(
    "a device that missed an epoch is known by its old beacon, and does not know the new ones") {
  Circle circle;
  circle.phone.newEpoch();
  REQUIRE(circle.phone.recognises(circle.laptop));
  REQUIRE_FALSE(circle.laptop.recognises(circle.phone));
  circle.laptop.takeAll(circle.phone);
  REQUIRE(circle.laptop.recognises(circle.phone));
}

TEST_CASE("beacons of epochs long past are known no more") {
  Circle circle;
  for (size_t i = 0; i < BEACON_EPOCHS_MAX; ++i) circle.phone.newEpoch();
  REQUIRE_FALSE(circle.phone.recognises(circle.laptop));
  REQUIRE(circle.phone.others().size() == BEACON_EPOCHS_MAX);
}

TEST_CASE("a removed device advertises nothing and is nobody's beacon") {
  Circle circle;
  circle.phone.add(circle.box, Role::MEMBER);
  auto before = KJ_ASSERT_NONNULL(circle.box.own());
  circle.phone.remove(circle.box);
  auto others = circle.phone.others();
  REQUIRE(std::ranges::find(others, before, &DeviceBeacon::beacon) == others.end());
  circle.box.takeAll(circle.phone);
  REQUIRE(circle.box.own() == nullptr);
}

TEST_CASE("a VAULT is known by what it was given, and knows nobody") {
  Circle circle;
  circle.phone.add(circle.box, Role::VAULT);
  REQUIRE(circle.phone.recognises(circle.box));
  REQUIRE(circle.box.others().empty());
  circle.phone.newEpoch();
  circle.box.takeAll(circle.phone);
  REQUIRE(circle.phone.recognises(circle.box));
}

}  // namespace
}  // namespace hearth::crypto
