#include "devices/data/blob-names.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

namespace hearth::devices {
namespace {

using Has = BlobNames::Has;

DeviceId device(kj::byte number) {
  DeviceId id;
  id.bytes[0] = number;
  return id;
}

bool everybody(const DeviceId&) { return true; }

TEST_CASE("a copy that was got may go where any other device keeps the blob") {
  REQUIRE(reliable({{device(1), Has::COPY}, {device(2), Has::KEPT}}, device(1), everybody) == 1);
  REQUIRE(reliable({{device(1), Has::KEPT}, {device(2), Has::COPY}}, device(2), everybody) == 1);
  REQUIRE(reliable({{device(1), Has::COPY}, {device(2), Has::COPY}}, device(2), everybody) == 0);
  REQUIRE(
      reliable({{device(1), Has::COPY}, {device(2), Has::WAS_KEPT}}, device(1), everybody) == 0);
}

TEST_CASE("a device that others may rely on relies on those before it alone") {
  REQUIRE(
      reliable({{device(1), Has::WAS_KEPT}, {device(2), Has::KEPT}}, device(1), everybody) == 0);
  REQUIRE(
      reliable({{device(1), Has::KEPT}, {device(2), Has::WAS_KEPT}}, device(2), everybody) == 1);
}

TEST_CASE("a device that has no part in the circle any more keeps nothing for others") {
  auto isActive = [](const DeviceId& id) { return id != device(1); };
  REQUIRE(reliable({{device(1), Has::KEPT}, {device(2), Has::COPY}}, device(2), isActive) == 0);
}

// Devices that get, pin, unpin and let go a blob, and hear of each other late.
struct Keepers {
  static constexpr size_t COUNT = 4;
  struct Said {
    uint64_t version = 0;
    Has has = Has::NOTHING;
  };
  struct Device {
    bool hasBytes = false;
    std::map<DeviceId, Said> heard;
  };
  Device all[COUNT];
  size_t gone = 0;

  Keepers() {
    all[0].hasBytes = true;
    say(0, Has::KEPT);
  }
  Has own(size_t i) { return all[i].heard[device(static_cast<kj::byte>(i))].has; }
  void say(size_t i, Has has) {
    auto& said = all[i].heard[device(static_cast<kj::byte>(i))];
    said = {said.version + 1, has};
  }
  bool isSomewhere() const {
    return std::ranges::any_of(all, [](auto& each) { return each.hasBytes; });
  }

  void get(size_t i) {
    if (all[i].hasBytes || !isSomewhere()) return;
    all[i].hasBytes = true;
    say(i, own(i) == Has::GONE ? Has::WAS_KEPT : Has::COPY);
  }
  void pin(size_t i) {
    get(i);
    say(i, Has::KEPT);
  }
  void unpin(size_t i) {
    if (own(i) == Has::KEPT) say(i, Has::WAS_KEPT);
  }
  void letGo(size_t i) {
    if (!all[i].hasBytes || own(i) == Has::KEPT) return;
    std::map<DeviceId, Has> holders;
    for (auto& [id, said]: all[i].heard) holders[id] = said.has;
    if (reliable(holders, device(static_cast<kj::byte>(i)), everybody) == 0) return;
    all[i].hasBytes = false;
    ++gone;
    say(i, own(i) == Has::WAS_KEPT ? Has::GONE : Has::NOTHING);
  }
  void hear(size_t i, size_t from) {
    for (auto& [id, said]: all[from].heard) {
      auto& known = all[i].heard[id];
      if (said.version > known.version) known = said;
    }
  }
};

TEST_CASE("whatever devices do at the same time, one of them has the blob") {
  auto seed = GENERATE(range(1, 201));
  CAPTURE(seed);
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  size_t gone = 0;
  for (int run = 0; run < 50; ++run) {
    Keepers keepers;
    for (int step = 0; step < 200; ++step) {
      auto who = luck() % Keepers::COUNT, other = luck() % Keepers::COUNT;
      switch (luck() % 6) {
        case 0:
          keepers.get(who);
          break;
        case 1:
          keepers.pin(who);
          break;
        case 2:
          keepers.unpin(who);
          break;
        case 3:
          keepers.hear(who, other);
          break;
        default:
          keepers.letGo(who);
      }
      REQUIRE(keepers.isSomewhere());
    }
    gone += keepers.gone;
  }
  REQUIRE(gone > 0);
}

}  // namespace
}  // namespace hearth::devices
