// VAULTs that do not give what they took (SECURITY.md T31).

#include "tests/crypto/seeds.h"
#include "tests/simulator/vault-blobs.h"
#include "tests/storage/blob/luck.h"

namespace hearth::sim {
namespace {

using storage::BlobRef;
using storage::Database;

constexpr auto S = kj::SECONDS;

// The bytes of a file that a VAULT has on its disk.
void flip(Device& vault, const std::string& name, uint64_t at) {
  auto files = vault.disk.contents();
  files[name][at] = static_cast<char>(files[name][at] ^ 1);
  vault.kill();
  vault.disk.restore(files);
  vault.start();
}

storage::BlobFault onlyFault(VaultBlobs& home) {
  auto& all = home.faults(home.laptop).all();
  REQUIRE(all.size() == 1);
  REQUIRE(all.begin()->first.first == VaultBlobs::idOf(home.vault));
  return all.begin()->second;
}

void requireNamed(VaultBlobs& home, const BlobRef& ref, Errc code) {
  auto fault = onlyFault(home);
  REQUIRE(fault.code == code);
  REQUIRE(fault.collection == devices::namedBlobs());
  REQUIRE(fault.item == storage::blobId(devices::namedBlobs(), ref.contentId()));
  auto alarms = home.alarms(home.laptop);
  REQUIRE(alarms.size() == 1);
  REQUIRE(alarms[0].find(nameOf(code).cStr()) != std::string::npos);
}

TEST_CASE(
    "T31: a VAULT that changes a blob is named with collection and item, and is not believed") {
  for (bool isLarge: {false, true}) {
    CAPTURE(isLarge);
    VaultBlobs home;
    auto ref = home.onlyOnVault("changed", storage::randomBytes(isLarge ? 500'000 : 5'000, 9));
    if (isLarge) {
      auto files = home.filesOfVault();
      REQUIRE(files.size() == 1);
      flip(home.vault, files[0], 300'000);
      home.run(20 * S);
    } else {
      home.meddle([](Database& db) {
        db.run("UPDATE vault_held SET bytes = CAST(substr(bytes, 1, 400) || x'5a' ||"
               " substr(bytes, 402) AS BLOB)");
      });
    }
    REQUIRE(home.get(home.laptop, ref).error().code == Errc::INTEGRITY_FAILED);
    requireNamed(home, ref, Errc::INTEGRITY_FAILED);
  }
}

TEST_CASE("T31: a VAULT that drops a blob is named with collection and item") {
  VaultBlobs home;
  auto ref = home.onlyOnVault("dropped", storage::randomBytes(5'000, 10));
  home.meddle([](Database& db) { db.run("DELETE FROM vault_held"); });
  REQUIRE(home.get(home.laptop, ref).error().code == Errc::ROLLBACK);
  requireNamed(home, ref, Errc::ROLLBACK);
}

TEST_CASE("T31: a VAULT that gives one blob for another is named with collection and item") {
  VaultBlobs home;
  REQUIRE(home.put(home.phone, "one", storage::randomBytes(5'000, 11)).has_value());
  auto two = home.onlyOnVault("two", storage::randomBytes(5'000, 12));
  home.meddle([](Database& db) {
    db.run(
        "CREATE TEMP TABLE swapped AS SELECT a.name AS name, b.bytes AS bytes FROM vault_held AS a"
        " JOIN vault_held AS b ON a.name <> b.name");
    db.run("UPDATE vault_held SET bytes = (SELECT bytes FROM swapped WHERE"
           " swapped.name = vault_held.name)");
    db.run("DROP TABLE swapped");
  });
  REQUIRE(home.get(home.laptop, two).error().code == Errc::INTEGRITY_FAILED);
  requireNamed(home, two, Errc::INTEGRITY_FAILED);
}

TEST_CASE(
    "T31: a VAULT that goes back to what it had before is named when it is met, before anything is read") {
  VaultBlobs home;
  REQUIRE(home.put(home.phone, "old", storage::randomBytes(5'000, 13)).has_value());
  home.run(60 * S);
  auto ref = home.onlyOnVault("new", storage::randomBytes(5'000, 14));
  home.leave(home.laptop);
  home.run(5 * S);
  home.meddle([](Database& db) {
    auto newest = "SELECT name FROM vault_held ORDER BY rowid DESC LIMIT 1";
    db.run(kj::str("DELETE FROM vault_items WHERE name = (", newest, ")"));
    db.run(kj::str("DELETE FROM vault_held WHERE name = (", newest, ")"));
  });
  home.comeHome(home.laptop);
  home.run(90 * S);
  requireNamed(home, ref, Errc::ROLLBACK);
}

// What somebody does to one of the files that a VAULT holds, and what a member is to call it.
struct Meddling {
  const char* sql;
  Errc code;
};
constexpr Meddling MEDDLINGS[] = {
    {"UPDATE vault_held SET bytes = CAST(substr(bytes, 1, length(bytes) / 2) || x'00ff' ||"
     " substr(bytes, length(bytes) / 2 + 3) AS BLOB)",
        Errc::INTEGRITY_FAILED},
    {"UPDATE vault_held SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) AS BLOB)",
        Errc::INTEGRITY_FAILED},
    {"UPDATE vault_held SET bytes = zeroblob(length(bytes))", Errc::INTEGRITY_FAILED},
    {"UPDATE vault_held SET bytes = (SELECT b.bytes FROM held_before AS b WHERE b.name <>"
     " vault_held.name ORDER BY b.name LIMIT 1)",
        Errc::INTEGRITY_FAILED},
    {"DELETE FROM vault_held", Errc::ROLLBACK},
};

TEST_CASE(
    "T31: whatever a VAULT does to some files, the others come, and those are named one by one") {
  Seeds seeds(15);
  size_t meddlings = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    Luck luck(seed);
    VaultBlobs home;
    std::map<std::string, crypto::Buffer> bytes;
    for (int i = 0; i < 6; ++i) {
      auto name = "blob " + std::to_string(i);
      bytes[name] = storage::randomBytes(1'000 + luck.below(40'000), luck.next());
      REQUIRE(home.put(home.phone, name, bytes[name]).has_value());
    }
    home.run(60 * S);
    home.leave(home.phone);
    home.leave(home.laptop);
    home.run(5 * S);
    home.meddle([](Database& db) {
      db.run("CREATE TABLE held_before AS SELECT name, bytes FROM vault_held");
    });
    std::map<std::string, Errc> spoilt;
    for (auto count = 1 + luck.below(3); count > 0; --count) {
      auto name = "blob " + std::to_string(luck.below(6));
      auto& how = MEDDLINGS[luck.below(std::size(MEDDLINGS))];
      if (spoilt.contains(name)) continue;
      spoilt[name] = how.code;
      auto content = home.refOf(home.laptop, name).contentId();
      auto copies = home.await(home.laptop.process().database().read(
          [content](Database& db) { return storage::vault_shelves::copiesOf(db, content); }));
      REQUIRE(copies.size() == 1);
      ++meddlings;
      bool forgets = how.code == Errc::ROLLBACK && luck.chance(50);  // that it ever had it
      home.meddle([&how, forgets, name = copies[0].item.name](Database& db) {
        db.run(kj::str(how.sql, " WHERE name = ?1"), name.asBytes());
        if (forgets) db.run("DELETE FROM vault_items WHERE name = ?1", name.asBytes());
      });
    }
    home.comeHome(home.laptop);
    home.run(60 * S);
    for (auto& [name, put]: bytes) {
      CAPTURE(name);
      auto ref = home.refOf(home.laptop, name);
      auto got = home.get(home.laptop, ref);
      auto wrong = spoilt.find(name);
      auto item = storage::blobId(devices::namedBlobs(), ref.contentId());
      auto fault = home.faults(home.laptop).all().find({VaultBlobs::idOf(home.vault), item});
      REQUIRE(got.has_value() == (wrong == spoilt.end()));
      REQUIRE((fault == home.faults(home.laptop).all().end()) == got.has_value());
      if (got) {
        REQUIRE(home.read(home.laptop, ref) == put);
      } else {
        REQUIRE(got.error().code == wrong->second);
        REQUIRE(fault->second.code == wrong->second);
      }
    }
  }
  REQUIRE(meddlings >= seeds.count());
}

}  // namespace
}  // namespace hearth::sim
