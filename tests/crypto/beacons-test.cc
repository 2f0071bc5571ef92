// Whose beacon a value is: of whom a device knows, in this epoch and those before.
#include "crypto/membership/beacons.h"
#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

constexpr uint64_t SLOT = 2'000'000;

kj::Maybe<Beacon> beaconOf(const Device& device, uint64_t slot = SLOT) {
  return ownBeacon(*device.log, device.epochs, device.keys.id, slot);
}
std::vector<DeviceBeacon> knownTo(const Device& device) {
  return beaconsOfOthers(*device.log, device.epochs, device.keys.id, SLOT);
}

// Whether `device` knows the value that `other` advertises as that device's.
bool recognises(const Device& device, const Device& other) {
  auto value = KJ_ASSERT_NONNULL(beaconOf(other));
  auto all = knownTo(device);
  auto found = std::ranges::find(all, value, &DeviceBeacon::beacon);
  return found != all.end() && found->device == other.keys.id;
}

struct Pair: Circle {
  Pair() { phone.add(laptop, Role::MEMBER); }
};

TEST_CASE("members know each other's beacons") {
  Pair circle;
  REQUIRE(recognises(circle.phone, circle.laptop));
  REQUIRE(recognises(circle.laptop, circle.phone));
}

TEST_CASE("a beacon is another one in the next slot and in the next epoch") {
  Pair circle;
  auto now = KJ_ASSERT_NONNULL(beaconOf(circle.phone));
  REQUIRE(KJ_ASSERT_NONNULL(beaconOf(circle.phone, SLOT + 1)) != now);
  circle.phone.newEpoch();
  REQUIRE(KJ_ASSERT_NONNULL(beaconOf(circle.phone)) != now);
}

TEST_CASE(
    "a device that missed an epoch is known by its old beacon, and does not know the new ones") {
  Pair circle;
  circle.phone.newEpoch();
  REQUIRE(recognises(circle.phone, circle.laptop));
  REQUIRE_FALSE(recognises(circle.laptop, circle.phone));
  circle.laptop.takeAll(circle.phone);
  REQUIRE(recognises(circle.laptop, circle.phone));
}

TEST_CASE("beacons of epochs long past are known no more") {
  Pair circle;
  for (size_t i = 0; i < BEACON_EPOCHS_MAX; ++i) circle.phone.newEpoch();
  REQUIRE_FALSE(recognises(circle.phone, circle.laptop));
  REQUIRE(knownTo(circle.phone).size() == BEACON_EPOCHS_MAX);
}

TEST_CASE("a removed device advertises nothing and is nobody's beacon") {
  Pair circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto before = KJ_ASSERT_NONNULL(beaconOf(circle.watch));
  circle.phone.remove(circle.watch);
  circle.phone.newEpoch();
  auto others = knownTo(circle.phone);
  REQUIRE(std::ranges::find(others, before, &DeviceBeacon::beacon) == others.end());
  circle.watch.takeAll(circle.phone);
  REQUIRE(beaconOf(circle.watch) == nullptr);
}

TEST_CASE("a VAULT is known by what it was given, and knows nobody") {
  Pair circle;
  circle.phone.add(circle.watch, Role::VAULT);
  REQUIRE(recognises(circle.phone, circle.watch));
  REQUIRE(knownTo(circle.watch).empty());
  circle.phone.newEpoch();
  circle.watch.takeAll(circle.phone);
  REQUIRE(recognises(circle.phone, circle.watch));
}

}  // namespace
}  // namespace hearth::crypto
