// Blobs and files of folders on a VAULT: what members bring there, and what they get from there.

#include "storage/blob/padding.h"
#include "tests/simulator/vault-blobs.h"
#include "tests/storage/blob/luck.h"

#include <algorithm>

namespace hearth::sim {
namespace {

using storage::Database;

constexpr auto S = kj::SECONDS;

TEST_CASE("what a member puts comes to another one from the VAULT when nobody else is there") {
  for (size_t size: {900, 70'000, 3 << 20}) {
    CAPTURE(size);
    VaultBlobs home;
    auto bytes = storage::randomBytes(size, size);
    auto ref = home.onlyOnVault("photo", bytes);
    REQUIRE(home.held().items == 1);
    REQUIRE(home.held().bytes == storage::sealedBytes(storage::padded(size)));
    auto before = home.said(home.laptop);
    REQUIRE(before.items == 1);
    REQUIRE(home.get(home.laptop, ref).has_value());
    REQUIRE(home.read(home.laptop, ref) == bytes);
    REQUIRE(home.faults(home.laptop).all().empty());
    REQUIRE(home.data(home.laptop).exchange().liars().empty());
    // Nothing of it is left beside what was fetched.
    home.run(5 * S);
    for (auto& [name, content]: home.laptop.disk.contents())
      REQUIRE(name.find("scratch") == std::string::npos);
    REQUIRE(home.world.errors().empty());
  }
}

TEST_CASE("part of a blob is read from a VAULT without keeping it") {
  VaultBlobs home;
  auto bytes = storage::randomBytes(2 << 20, 3);
  auto ref = home.onlyOnVault("film", bytes);
  auto part = home.await(home.blobs(home.laptop).readFromOthers(ref, 1'000'000, 5'000));
  REQUIRE(part.has_value());
  REQUIRE(*part == bytes.slice(1'000'000, 1'005'000));
  REQUIRE(!home.await(home.blobs(home.laptop).find("film")).value().isHere);
}

TEST_CASE("what was cut off on its way from a VAULT goes on where it stopped") {
  VaultBlobs home;
  auto bytes = storage::randomBytes(8 << 20, 9);
  auto ref = home.onlyOnVault("film", bytes);
  auto fetching = home.blobs(home.laptop).fetch(ref).ignoreResult().eagerlyEvaluate(nullptr);
  auto delivered = [&, before = home.world.deliveredBytes()]() {
    return home.world.deliveredBytes() - before;
  };
  while (delivered() < 6 << 20) home.run(1 * kj::MILLISECONDS);
  home.leave(home.vault);
  home.run(60 * S);
  REQUIRE(delivered() < 8 << 20);
  home.comeHome(home.vault);
  home.run(60 * S);
  REQUIRE(home.get(home.laptop, ref).has_value());
  REQUIRE(delivered() < 9 << 20);
  REQUIRE(home.read(home.laptop, ref) == bytes);
  REQUIRE(home.faults(home.laptop).all().empty());
}

TEST_CASE("what came half from a VAULT and is not wanted any more leaves nothing") {
  VaultBlobs home;
  auto ref = home.onlyOnVault("film", storage::randomBytes(8 << 20, 9));
  {
    auto fetching = home.blobs(home.laptop).fetch(ref);
    auto before = home.world.deliveredBytes();
    while (home.world.deliveredBytes() - before < 4 << 20) home.run(1 * kj::MILLISECONDS);
    home.leave(home.vault);
    home.run(10 * S);
    REQUIRE(std::ranges::any_of(home.laptop.disk.contents(),
        [](auto& file) { return file.first.find("scratch") != std::string::npos; }));
  }
  home.run(20 * kj::MINUTES);
  for (auto& [name, content]: home.laptop.disk.contents())
    REQUIRE(name.find("scratch") == std::string::npos);
}

TEST_CASE("two members that have the same put it on a VAULT once") {
  VaultBlobs home;
  auto bytes = storage::randomBytes(300'000, 4);
  home.vault.put({});
  home.run(5 * S);
  REQUIRE(home.put(home.phone, "both", bytes).has_value());
  home.run(5 * S);
  REQUIRE(home.get(home.laptop, home.refOf(home.laptop, "both")).has_value());
  home.comeHome(home.vault);
  home.run(120 * S);
  REQUIRE(home.held().items == 1);
}

TEST_CASE(
    "files of a folder come from a VAULT to a device that was never there with their owner's") {
  VaultBlobs home;
  home.leave(home.laptop);
  auto& files = home.phone.folders.owner;
  files.write("notes/today.txt", "milk");
  std::string large;
  for (auto byte: storage::randomBytes(700'000, 5)) large.push_back(static_cast<char>(byte));
  files.write("large", large);
  auto add = [&](Device& device) {
    return home.await(
        KJ_ASSERT_NONNULL(home.data(device).folders()).add(SimFolders::PATH, "things"));
  };
  REQUIRE(add(home.phone).has_value());
  home.run(60 * S);
  REQUIRE(home.held().items == 2);
  home.leave(home.phone);
  home.run(5 * S);
  home.comeHome(home.laptop);
  REQUIRE(add(home.laptop).has_value());
  home.run(120 * S);
  REQUIRE(KJ_ASSERT_NONNULL(home.laptop.folders.owner.read("notes/today.txt")) == "milk");
  REQUIRE(KJ_ASSERT_NONNULL(home.laptop.folders.owner.read("large")) == large);
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("what a VAULT has survives its end, a cut of its power and new epochs") {
  VaultBlobs home;
  auto bytes = storage::randomBytes(500'000, 6);
  auto ref = home.onlyOnVault("kept", bytes);
  home.vault.losePower();
  home.run(5 * S);
  home.vault.powerOn();
  home.run(20 * S);
  REQUIRE(home.held().items == 1);
  REQUIRE(home.get(home.laptop, ref).has_value());
  REQUIRE(home.read(home.laptop, ref) == bytes);
}

TEST_CASE("what a VAULT says that it has would be there after a loss of power") {
  for (size_t size: {5'000, 300'000}) {
    CAPTURE(size);
    VaultBlobs home;
    home.vault.disk.syncTakes = 2 * S;
    REQUIRE(home.put(home.phone, "film", storage::randomBytes(size, 18)).has_value());
    auto waited = 0 * S;
    for (; waited < 120 * S && home.said(home.phone).items == 0; waited += S / 10) home.run(S / 10);
    REQUIRE(home.said(home.phone).items == 1);
    REQUIRE(waited > 2 * S);
    home.vault.kill();
    home.vault.disk.losePowerCleanly();
    home.vault.disk.syncTakes = 0 * S;
    home.vault.start();
    home.run(10 * S);
    REQUIRE(home.held().items == 1);
  }
}

TEST_CASE("a VAULT without room says so, and loses nothing that it has") {
  VaultBlobs home;
  REQUIRE(home.put(home.phone, "first", storage::randomBytes(300'000, 7)).has_value());
  home.run(60 * S);
  REQUIRE(home.held().items == 1);
  home.data(home.vault).vaults().holdings().setRoom(400'000);
  REQUIRE(home.put(home.phone, "second", storage::randomBytes(300'000, 8)).has_value());
  home.run(60 * S);
  REQUIRE(home.held().items == 1);
  auto alarms = home.alarms(home.phone);
  REQUIRE(alarms.size() == 1);
  REQUIRE(alarms[0].find("no room left") != std::string::npos);
  home.data(home.vault).vaults().holdings().setRoom(1 << 20);
  home.run(120 * S);
  REQUIRE(home.held().items == 2);
  REQUIRE(home.alarms(home.phone).empty());
}

TEST_CASE("a blob that was removed is gone from a VAULT as well") {
  VaultBlobs home;
  REQUIRE(home.put(home.phone, "small", storage::randomBytes(3'000, 16)).has_value());
  REQUIRE(home.put(home.phone, "large", storage::randomBytes(300'000, 17)).has_value());
  home.run(60 * S);
  REQUIRE(home.held().items == 2);
  REQUIRE(home.filesOfVault().size() == 1);
  for (auto name: {"small", "large"})
    REQUIRE(home.await(home.blobs(home.laptop).remove(name)).has_value());
  home.run(60 * S);
  REQUIRE(home.held().items == 0);
  REQUIRE(home.said(home.laptop).items == 0);
  REQUIRE(home.filesOfVault().empty());
  REQUIRE(home.alarms(home.phone).empty());
}

TEST_CASE("a file that was replaced leaves a VAULT after a while, and one that is there stays") {
  VaultBlobs home;
  auto& files = home.phone.folders.owner;
  files.write("letter", "first");
  files.write("other", "stays");
  auto added = home.await(
      KJ_ASSERT_NONNULL(home.data(home.phone).folders()).add(SimFolders::PATH, "things"));
  REQUIRE(added.has_value());
  home.run(60 * S);
  files.replace("letter", "second");
  home.run(60 * S);
  REQUIRE(home.held().items == 3);
  home.run(devices::VaultPushing::TIDIES_EVERY);
  files.write("new", "comes");
  home.run(60 * S);
  REQUIRE(home.held().items == 3);
  home.run(30 * S);
  REQUIRE(home.said(home.laptop).items == 3);
  REQUIRE(home.alarms(home.phone).empty());
}

TEST_CASE("what a VAULT has lost is put there again by whoever put it") {
  VaultBlobs home;
  auto bytes = storage::randomBytes(5'000, 15);
  REQUIRE(home.put(home.phone, "lost", bytes).has_value());
  home.run(60 * S);
  home.leave(home.phone);
  home.run(5 * S);
  home.meddle([](Database& db) {
    for (auto table: {"vault_items", "vault_held"}) db.run(kj::str("DELETE FROM ", table));
  });
  home.comeHome(home.phone);
  home.run(180 * S);
  REQUIRE(home.held().items == 1);
  REQUIRE(home.alarms(home.phone).size() == 1);
}

}  // namespace
}  // namespace hearth::sim
