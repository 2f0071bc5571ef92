#include "devices/facts/local-facts.h"
#include "devices/node/fleet.h"
#include "devices/node/identity.h"
#include "devices/node/job-record.h"
#include "devices/node/private-file.h"
#include "tests/devices/home-in-memory.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

TEST_CASE("an identity is the same after a restart") {
  HomeInMemory home;
  auto made = Identity::create(*home.directory, home.keys, home.entropy, crypto::Bundle::EXECUTES);
  auto again = home.store();
  auto loaded = Identity::load(*home.directory, again);
  auto& identity = KJ_ASSERT_NONNULL(*loaded);
  REQUIRE(identity.keys.id == made.keys.id);
  REQUIRE(identity.bundle == made.bundle);
  REQUIRE(identity.database.equals(made.database));
}

TEST_CASE("a device without an identity says so") {
  HomeInMemory home;
  REQUIRE(*Identity::load(*home.directory, home.keys) == nullptr);
}

TEST_CASE("an identity under another platform root does not open") {
  HomeInMemory home;
  Identity::create(*home.directory, home.keys, home.entropy, 0);
  home.write(kj::Path({"keys", "platform-root"}), "thirty-two bytes of another root");
  auto other = home.store();
  REQUIRE(Identity::load(*home.directory, other).error().code == Errc::DECRYPT_FAILED);
}

TEST_CASE("an identity with a changed or missing byte does not open") {
  HomeInMemory home;
  kj::Path path({"keys", "identity"});
  Identity::create(*home.directory, home.keys, home.entropy, 0);
  auto good = KJ_ASSERT_NONNULL(readPrivate(*home.directory, path));
  for (size_t i: {size_t{5}, size_t{20}, good.size() - 1}) {
    auto changed = kj::heapArray<kj::byte>(good);
    changed[i] ^= 1;
    writePrivate(*home.directory, path, changed);
    REQUIRE_FALSE(Identity::load(*home.directory, home.keys).has_value());
  }
  writePrivate(*home.directory, path, good.slice(0, good.size() - 1));
  REQUIRE(Identity::load(*home.directory, home.keys).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a job's record survives its place in the database") {
  JobRecord record{
      .id = "ab", .workload = "dictate", .state = "done", .startedMs = 1, .endedMs = 2};
  record.placements = {{"vad", "audio.vad", "phone", "audio.vad 0.1.0", 1,
      {{"phone", true, "the only device that can do it"}}}};
  record.events = {{3, "lost", "vad", "phone", 1, "the device can no longer be reached"}};
  REQUIRE(decodeJobRecord(encode(record)).value() == record);
  REQUIRE(decodeJobRecord(kj::StringPtr("{").asBytes()).error().code == Errc::BAD_FORMAT);
  REQUIRE(decodeJobRecord(kj::StringPtr("{}").asBytes()).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("facts come from the machine's own files, and a machine without them still works") {
  HomeInMemory machine;
  auto bare = localFacts(*machine.directory, {}, "tv", "laptop", 4);
  REQUIRE(bare.memoryBytes == 0);
  REQUIRE(bare.onMains());
  machine.write(kj::Path({"proc", "meminfo"}), "MemTotal:       16384 kB\nMemFree: 1 kB\n");
  kj::Path battery({"sys", "class", "power_supply", "BAT0"});
  machine.write(battery.append("capacity"), "42\n");
  machine.write(battery.append("status"), "Discharging\n");
  auto facts = localFacts(*machine.directory, {}, "tv", "laptop", 4);
  REQUIRE(facts.memoryBytes == uint64_t{16384} * 1024);
  REQUIRE(facts.battery == 0.42);
  // One of two is emptied first, and a mouse's is not this machine's.
  kj::Path second({"sys", "class", "power_supply", "BAT1"}),
      mouse({"sys", "class", "power_supply", "hid"});
  machine.write(second.append("capacity"), "82\n");
  machine.write(second.append("status"), "Not charging\n");
  machine.write(mouse.append("capacity"), "3\n");
  machine.write(mouse.append("status"), "Discharging\n");
  machine.write(mouse.append("scope"), "Device\n");
  REQUIRE(batteryLevel(*machine.directory) == 0.62);
  machine.write(battery.append("status"), "Charging\n");
  REQUIRE(localFacts(*machine.directory, {}, "tv", "laptop", 4).onMains());
}

router::DeviceFacts factsOf(kj::byte n, const char* name) {
  router::DeviceFacts facts;
  facts.id.bytes[0] = n;
  facts.name = name;
  return facts;
}

TEST_CASE("the fleet knows who is here, and remembers names and places of who is away") {
  Fleet fleet(factsOf(1, "watch"), {});
  auto laptop = factsOf(2, "laptop");
  laptop.addresses = {"10.0.0.2:7427"};
  laptop.version = 7;
  REQUIRE(fleet.heard(laptop, kj::UNIX_EPOCH));
  REQUIRE_FALSE(fleet.heard(laptop, kj::UNIX_EPOCH));
  REQUIRE(fleet.reachable().size() == 2);
  fleet.left(laptop.id);
  REQUIRE(fleet.reachable().size() == 1);
  REQUIRE(fleet.nameOf(laptop.id) == "laptop");
  REQUIRE(KJ_ASSERT_NONNULL(fleet.remembered(laptop.id)).addresses == laptop.addresses);
}

TEST_CASE("what this device says of itself is seen by its own planner at once") {
  Fleet fleet(factsOf(1, "watch"), {});
  fleet.changeOwn(kj::UNIX_EPOCH, [](router::DeviceFacts& own) { own.sensors = {"microphone"}; });
  REQUIRE(fleet.reachable().front().sensors.size() == 1);
  REQUIRE(fleet.own().version == 1);
}

TEST_CASE("facts that are older than the known ones change nothing") {
  Fleet fleet(factsOf(1, "watch"), {});
  auto laptop = factsOf(2, "laptop");
  laptop.version = 7;
  REQUIRE(fleet.heard(laptop, kj::UNIX_EPOCH));
  laptop.version = 6;
  REQUIRE_FALSE(fleet.heard(laptop, kj::UNIX_EPOCH));
}

TEST_CASE("a device whose clock is years ahead is heard, and our own stamps do not follow it") {
  Fleet fleet(factsOf(1, "watch"), {});
  auto laptop = factsOf(2, "laptop");
  laptop.version = UINT64_MAX;
  REQUIRE(fleet.heard(laptop, kj::UNIX_EPOCH));
  fleet.changeOwn(kj::UNIX_EPOCH, [](router::DeviceFacts&) {});
  REQUIRE(fleet.own().version == 1);
}

TEST_CASE("places that others tell of are added behind the known ones, up to a limit") {
  Fleet fleet(factsOf(1, "watch"), {});
  DeviceId other = factsOf(2, "").id;
  fleet.learnPlace(other, {"a:1", "b:1"});
  fleet.learnPlace(other, {"b:1", "c:1"});
  REQUIRE(KJ_ASSERT_NONNULL(fleet.remembered(other)).addresses ==
      std::vector<std::string>{"a:1", "b:1", "c:1"});
  for (int i = 0; i < 100; ++i) fleet.learnPlace(other, {"x:" + std::to_string(i)});
  REQUIRE(KJ_ASSERT_NONNULL(fleet.remembered(other)).addresses.size() ==
      transport::Links::ADDRESSES_MAX);
}

TEST_CASE("a place that is no address is not remembered, however others insist") {
  Fleet fleet(factsOf(1, "watch"), {});
  DeviceId other = factsOf(2, "").id;
  std::string longest(storage::PeerRow::ADDRESS_BYTES_MAX, 'a');
  fleet.learnPlace(other, {longest + "a", "", "a b:1", "\x1b[2J:1", longest});
  REQUIRE(KJ_ASSERT_NONNULL(fleet.remembered(other)).addresses == std::vector{longest});
}

}  // namespace
}  // namespace hearth::devices
