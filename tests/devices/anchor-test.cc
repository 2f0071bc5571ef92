// Files of a device's home that somebody puts back (SECURITY.md §10.4, G10): an older database under the
// anchor of a newer one, an older anchor beside the database, and neither.

#include "core/loop/uv-event-port.h"
#include "devices/node/circle-keeper.h"
#include "devices/node/private-file.h"
#include "simulator/disk/sim-disk.h"
#include "tests/devices/root-in-memory.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

// A device whose processes come and go over one database and one folder of keys.
struct Machine final: CircleKeeper::Observer {
  crypto::CountingEntropy entropy{1};
  RootInMemory root;
  kj::Own<const kj::Directory> keys = kj::newInMemoryDirectory(kj::nullClock());
  Identity identity = Identity::create(*keys, root, entropy, 0);
  sim::SimDisk disk{sim::Chance(1)};
  storage::Home home{disk.directory()};
  UvLoop uv;
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  InlineExecutor executor;
  kj::Own<storage::Store> store;
  kj::Own<CircleKeeper> keeper;

  Machine() {
    auto recovery = crypto::RecoveryKeys::fromSeed(crypto::RecoverySeed::draw(entropy));
    storage::Store fresh{executor, home.open()};
    StoredCircle::found(recovery, identity, fresh, kj::nullClock(), entropy).wait(uv.waitScope);
  }
  void begin() {
    end();
    store = kj::heap<storage::Store>(executor, home.open());
    auto read = StoredCircle::read(*store).wait(uv.waitScope).value();
    keeper = kj::heap<CircleKeeper>(kj::mv(KJ_ASSERT_NONNULL(read)), identity, *store, timer,
        kj::nullClock(), entropy, *keys, *this);
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
