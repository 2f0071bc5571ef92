// Files of a device's home that somebody puts back (SECURITY.md §10.4, G10): an older database under the
// anchor of a newer one, an older anchor beside the database, and neither.

#include "tests/devices/anchored-machine.h"

namespace hearth::devices {
namespace {

using Machine = AnchoredMachine;

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
  REQUIRE_FALSE(machine.warnsOf("anchor"));
  machine.end();
  REQUIRE(machine.anchor() != older);
  machine.putBackAnchor(older);
  machine.begin();
  REQUIRE(machine.warnsOf("anchor"));
  REQUIRE_FALSE(machine.keeper->hasForgotten());
  machine.write(1);  // the database is as new as ever
  machine.begin();
  REQUIRE_FALSE(machine.warnsOf("anchor"));
}

TEST_CASE("an anchor that somebody has removed is missed") {
  Machine machine;
  machine.begin();
  machine.write(2);
  machine.end();
  machine.keys->remove(kj::Path{"keys", "anchor"});
  machine.begin();
  REQUIRE(machine.warnsOf("anchor"));
}

TEST_CASE("a device that lost power between database and anchor is not warned of") {
  Machine machine;
  machine.begin();
  machine.write(1);
  auto before = machine.anchor();
  machine.write(1);
  machine.end();
  // The commit came through, the anchor behind it did not.
  machine.putBackAnchor(before);
  machine.begin();
  REQUIRE_FALSE(machine.warnsOf("anchor"));
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
    machine.putBackAnchor(bad);
    REQUIRE(Anchor::read(*machine.keys, machine.identity.storage).error().code ==
        Errc::INTEGRITY_FAILED);
  }
}

}  // namespace
}  // namespace hearth::devices
