// Files of a device's home that somebody puts back (SECURITY.md §10.4, G10): an older database under the
// anchor of a newer one, an older anchor beside the database, and neither.

#include "devices/node/private-file.h"
#include "tests/devices/device-on-disk.h"

namespace hearth::devices {
namespace {

struct Machine final: DeviceOnDisk, CircleKeeper::Observer {
  kj::Own<storage::Store> store;
  kj::Own<CircleKeeper> keeper;

  void begin() {
    end();
    store = kj::heap<storage::Store>(executor, home.open());
    keeper = keeperOf(stored(*store), *store, *this);
  }
  void end() {
    keeper = nullptr;
    store = nullptr;
  }
  // Writes so many ops.
  void write(int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(keeper->say(crypto::MinSuitePayload{1}).wait(uv.waitScope).has_value());
  }
  crypto::Buffer anchor() {
    auto read = readPrivate(*keys, kj::Path{"keys", "anchor"});
    return kj::mv(KJ_REQUIRE_NONNULL(read));
  }
  bool warnsOfAnchor() {
    auto lines = keeper->alarms();
    return std::ranges::any_of(
        lines, [](auto& line) { return line.find("anchor") != std::string::npos; });
  }

  void circleChanged() override {}
  void remembered() override {}
  void heartbeatCame() override {}
};

TEST_CASE("T2: an older database under the anchor of a newer one is noticed, and writes nothing") {
  Machine machine;
  machine.begin();
  machine.write(1);
  machine.end();
  auto older = machine.disk.contents();
  machine.begin();
  machine.write(2);
  machine.end();
  machine.disk.restore(older);
  machine.begin();
  REQUIRE(machine.keeper->hasForgotten());
  auto said = machine.keeper->say(crypto::MinSuitePayload{1}).wait(machine.uv.waitScope);
  REQUIRE(said.error().code == Errc::ROLLBACK);
}

TEST_CASE("an older anchor that is put back beside its database is noticed, once") {
  Machine machine;
  machine.begin();
  machine.write(1);
  auto older = machine.anchor();
  machine.write(2);
  REQUIRE_FALSE(machine.warnsOfAnchor());
  machine.end();
  REQUIRE(machine.anchor() != older);
  writePrivate(*machine.keys, kj::Path{"keys", "anchor"}, older);
  machine.begin();
  REQUIRE(machine.warnsOfAnchor());
  REQUIRE_FALSE(machine.keeper->hasForgotten());
  machine.write(1);  // the database is as new as ever
  machine.begin();
  REQUIRE_FALSE(machine.warnsOfAnchor());
}

TEST_CASE("an anchor that somebody has removed is missed") {
  Machine machine;
  machine.begin();
  machine.write(2);
  machine.end();
  machine.keys->remove(kj::Path{"keys", "anchor"});
  machine.begin();
  REQUIRE(machine.warnsOfAnchor());
}

TEST_CASE("a device that lost power between database and anchor is not warned of") {
  Machine machine;
  machine.begin();
  machine.write(1);
  auto before = machine.anchor();
  machine.write(1);
  machine.end();
  // The commit came through, the anchor behind it did not.
  writePrivate(*machine.keys, kj::Path{"keys", "anchor"}, before);
  machine.begin();
  REQUIRE_FALSE(machine.warnsOfAnchor());
  REQUIRE_FALSE(machine.keeper->hasForgotten());
}

TEST_CASE("an anchor whose bytes were changed is refused") {
  Machine machine;
  machine.begin();
  machine.write(1);
  machine.end();
  auto good = machine.anchor();
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = kj::heapArray<kj::byte>(good);
    bad[i] ^= 1;
    writePrivate(*machine.keys, kj::Path{"keys", "anchor"}, bad);
    REQUIRE(Anchor::read(*machine.keys, machine.identity.storage).error().code ==
        Errc::INTEGRITY_FAILED);
  }
}

}  // namespace
}  // namespace hearth::devices
