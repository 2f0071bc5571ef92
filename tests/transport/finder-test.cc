// Whom a name on the local link means, and what becomes of what strangers say.
#include "transport/discovery/finder.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::transport {
namespace {

constexpr uint64_t NOON = crypto::BEACON_SLOT_S * 1'000;  // the beginning of a slot

DeviceId device(kj::byte number) {
  DeviceId id;
  id.bytes[0] = number;
  return id;
}

// A device is called by its number, the epoch and the slot.
crypto::Beacon beacon(kj::byte number, kj::byte epoch, uint64_t slot) {
  crypto::Beacon value;
  value.bytes[0] = number;
  value.bytes[1] = epoch;
  memcpy(value.bytes + 2, &slot, sizeof(slot));
  return value;
}

std::string name(kj::byte number, uint64_t unixS, kj::byte epoch = 1) {
  return nameOf(beacon(number, epoch, crypto::beaconSlot(unixS)));
}

std::string strangersName(uint32_t number) {
  crypto::Beacon value;
  memset(value.bytes, 0xee, sizeof(value.bytes));
  memcpy(value.bytes, &number, sizeof(number));
  return nameOf(value);
}

// This device is 1; 2 and 3 are others of its circle.
struct Circle final: public Finder::Beacons {
  kj::byte epoch = 1;
  bool hasEpoch = true;
  std::vector<kj::byte> others = {2, 3};
  Finder finder{*this};

  Circle() { finder.tick(NOON); }
  kj::Maybe<crypto::Beacon> ownBeacon(uint64_t slot) override {
    if (!hasEpoch) return nullptr;
    return beacon(1, epoch, slot);
  }
  std::vector<crypto::DeviceBeacon> beaconsOfOthers(uint64_t slot) override {
    std::vector<crypto::DeviceBeacon> all;
    for (auto number: others) all.push_back({device(number), beacon(number, epoch, slot)});
    return all;
  }
  std::string ownName() const { return KJ_ASSERT_NONNULL(finder.ownName()); }
};

using Devices = std::vector<DeviceId>;
using Places = std::vector<std::string>;

TEST_CASE("a device is advertised by another name in each slot") {
  Circle circle;
  auto before = circle.ownName();
  REQUIRE_FALSE(circle.finder.tick(NOON + crypto::BEACON_SLOT_S - 1).advertise);
  REQUIRE(circle.ownName() == before);
  REQUIRE(circle.finder.tick(NOON + crypto::BEACON_SLOT_S).advertise);
  REQUIRE(circle.ownName() == name(1, NOON + crypto::BEACON_SLOT_S));
}

TEST_CASE("a name is 26 characters that a label of DNS may hold") {
  Circle circle;
  REQUIRE(circle.ownName().size() == 26);
  REQUIRE(
      circle.ownName().find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == std::string::npos);
}

TEST_CASE(
    "a device that answers by datagrams is heard for these by the same name, and gone by itself") {
  constexpr auto DATAGRAMS = Finder::Carrier::DATAGRAMS;
  Circle circle;
  auto& finder = circle.finder;
  REQUIRE(finder.heard(name(2, NOON), {}, NOON, DATAGRAMS).follow);
  REQUIRE(finder.wanted().empty());
  REQUIRE(finder.wanted(DATAGRAMS).contains(name(2, NOON)));
  REQUIRE(finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON, DATAGRAMS).moved == Devices{device(2)});
  REQUIRE(finder.placesOf(device(2)) == Places{"udp:10.0.0.2:1"});
  finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  REQUIRE(finder.placesOf(device(2)) == Places{"10.0.0.2:1", "udp:10.0.0.2:1"});
  REQUIRE(finder.gone(name(2, NOON)).moved == Devices{device(2)});
  REQUIRE(finder.placesOf(device(2)) == Places{"udp:10.0.0.2:1"});
}

TEST_CASE("so many places of a device are kept by each carrier") {
  Circle circle;
  Places many;
  for (int i = 0; i < 9; ++i) many.push_back("10.0.0.2:" + std::to_string(i + 1));
  circle.finder.heard(name(2, NOON), many, NOON);
  REQUIRE(circle.finder.placesOf(device(2)).size() == Finder::PLACES_MAX);
  circle.finder.heard(name(2, NOON), many, NOON, Finder::Carrier::DATAGRAMS);
  REQUIRE(circle.finder.placesOf(device(2)).size() == 2 * Finder::PLACES_MAX);
}

TEST_CASE("a device is advertised by another name in a new epoch") {
  Circle circle;
  circle.epoch = 2;
  REQUIRE(circle.finder.circleChanged(NOON + 5).advertise);
  REQUIRE(circle.ownName() == name(1, NOON, 2));
  REQUIRE_FALSE(circle.finder.circleChanged(NOON + 6).advertise);
}

TEST_CASE("a device that was given nothing of the epoch is not advertised") {
  Circle circle;
  circle.hasEpoch = false;
  REQUIRE(circle.finder.circleChanged(NOON).advertise);
  REQUIRE(circle.finder.ownName() == nullptr);
}

TEST_CASE("a member's name is looked up, and its places are where to call") {
  Circle circle;
  REQUIRE(circle.finder.heard(name(2, NOON), {}, NOON).follow);
  REQUIRE(circle.finder.wanted() == std::set{name(2, NOON)});
  REQUIRE(circle.finder.heard(name(2, NOON), {"10.0.0.2:7427"}, NOON).moved == Devices{device(2)});
  REQUIRE(circle.finder.placesOf(device(2)) == Places{"10.0.0.2:7427"});
}

TEST_CASE("a member whose clock is a slot behind or ahead is known all the same") {
  Circle circle;
  for (auto off: {NOON - 1, NOON + crypto::BEACON_SLOT_S}) {
    circle.finder.heard(name(2, off), {"10.0.0.2:1"}, NOON);
    REQUIRE(circle.finder.placesOf(device(2)) == Places{"10.0.0.2:1"});
    circle.finder.gone(name(2, off));
  }
  circle.finder.heard(name(2, NOON + 2 * crypto::BEACON_SLOT_S), {"10.0.0.2:1"}, NOON);
  REQUIRE(circle.finder.placesOf(device(2)).empty());
}

TEST_CASE("nobody's name is never looked up, and counted") {
  Circle circle;
  REQUIRE_FALSE(circle.finder.heard(strangersName(1), {"10.0.0.9:1"}, NOON).follow);
  REQUIRE(circle.finder.wanted().empty());
  REQUIRE(circle.finder.ignored().strangers == 1);
}

TEST_CASE("a name that is no beacon is ignored and counted") {
  Circle circle;
  const std::string wrong[] = {"", "phone", name(2, NOON) + "A", name(2, NOON).substr(1),
      std::string(26, '1'), std::string(26, '\0'), std::string(4'096, 'A')};
  for (auto& text: wrong) {
    auto effects = circle.finder.heard(text, {"10.0.0.9:1"}, NOON);
    REQUIRE((!effects.follow && effects.moved.empty()));
  }
  REQUIRE(circle.finder.ignored().malformed == std::size(wrong));
}

TEST_CASE("a place that no address has the form of is left out") {
  Circle circle;
  circle.finder.heard(name(2, NOON),
      {"", "10.0.0.2:1 x", "\x1b[2J:1", std::string(Finder::PLACE_BYTES_MAX + 1, 'a'),
          "[fe80::1%eth0]:1"},
      NOON);
  REQUIRE(circle.finder.placesOf(device(2)) == Places{"[fe80::1%eth0]:1"});
}

TEST_CASE("this device's own name, said by somebody, means nothing") {
  Circle circle;
  circle.finder.heard(circle.ownName(), {"10.0.0.9:1"}, NOON);
  REQUIRE(circle.finder.wanted().empty());
}

TEST_CASE("a device that there is a link to is not looked up until it is lost") {
  Circle circle;
  circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  REQUIRE(circle.finder.linked(device(2), true).follow);
  REQUIRE(circle.finder.wanted().empty());
  REQUIRE(circle.finder.placesOf(device(2)) == Places{"10.0.0.2:1"});
  REQUIRE(circle.finder.linked(device(2), false).follow);
  REQUIRE(circle.finder.wanted() == std::set{name(2, NOON)});
}

TEST_CASE("places go with the name that they came by") {
  Circle circle;
  circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  REQUIRE(circle.finder.gone(name(2, NOON)).moved == Devices{device(2)});
  REQUIRE(circle.finder.placesOf(device(2)).empty());
}

TEST_CASE("places of a name that is never taken back end with its slots") {
  Circle circle;
  circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  REQUIRE(circle.finder.tick(NOON + crypto::BEACON_SLOT_S).moved.empty());
  auto effects = circle.finder.tick(NOON + 2 * crypto::BEACON_SLOT_S);
  REQUIRE(effects.moved == Devices{device(2)});
  REQUIRE(effects.follow);
  REQUIRE(circle.finder.placesOf(device(2)).empty());
}

TEST_CASE("places of a member that was removed are forgotten") {
  Circle circle;
  circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  circle.others = {3};
  REQUIRE(circle.finder.circleChanged(NOON).moved == Devices{device(2)});
  REQUIRE(circle.finder.wanted().empty());
}

TEST_CASE("a name that meant nobody is a member's once the circle has grown") {
  Circle circle;
  circle.finder.heard(name(4, NOON), {}, NOON);
  circle.others = {2, 3, 4};
  REQUIRE(circle.finder.circleChanged(NOON).follow);
  REQUIRE(circle.finder.wanted() == std::set{name(4, NOON)});
}

TEST_CASE("a flood of strangers' names leaves room for a member's") {
  Circle circle;
  for (uint32_t i = 0; i < 10'000; ++i) circle.finder.heard(strangersName(i), {}, NOON);
  REQUIRE(circle.finder.ignored().crowded == 10'000 - Finder::NAMES_MAX);
  circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON);
  REQUIRE(circle.finder.placesOf(device(2)) == Places{"10.0.0.2:1"});
  Holdings holdings;
  circle.finder.addTo(holdings);
  for (auto& holding: holdings) REQUIRE(holding.now <= holding.most);
}

TEST_CASE("more places than a device may have are cut off") {
  Circle circle;
  Places many;
  for (size_t i = 0; i < 3 * Finder::PLACES_MAX; ++i)
    many.push_back("10.0.0." + std::to_string(i) + ":1");
  circle.finder.heard(name(2, NOON), many, NOON);
  circle.finder.heard(name(2, NOON - 1), many, NOON);
  REQUIRE(circle.finder.placesOf(device(2)).size() == Finder::PLACES_MAX);
}

TEST_CASE("a device that is said to move again and again is called no more often than its limit") {
  Circle circle;
  uint32_t moves = 0;
  auto shout = [&](uint64_t unixS) {
    for (uint32_t i = 0; i < 1'000; ++i) {
      Places places{"10.0.0.2:" + std::to_string(i)};
      moves +=
          static_cast<uint32_t>(circle.finder.heard(name(2, NOON), places, unixS).moved.size());
    }
  };
  shout(NOON);
  REQUIRE(moves == Finder::MOVES_PER_SLOT_MAX);
  shout(NOON + crypto::BEACON_SLOT_S);
  REQUIRE(moves == 2 * Finder::MOVES_PER_SLOT_MAX);
}

TEST_CASE("a name that comes and goes does not get around the limit of moves") {
  Circle circle;
  uint32_t moves = 0;
  for (uint32_t i = 0; i < 1'000; ++i) {
    moves += static_cast<uint32_t>(
        circle.finder.heard(name(2, NOON), {"10.0.0.2:1"}, NOON).moved.size());
    circle.finder.gone(name(2, NOON));
  }
  REQUIRE(moves == Finder::MOVES_PER_SLOT_MAX);
}

}  // namespace
}  // namespace hearth::transport
