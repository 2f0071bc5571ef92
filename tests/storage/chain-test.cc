#include "storage/sql/checkup.h"
#include "storage/tables/ops.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

constexpr size_t PAGE_BYTES = 4096;

void appendOps(Home& home, size_t count) {
  auto db = home.open();
  auto envelope = kj::heapArray<kj::byte>(2'000);
  memset(envelope.begin(), 'o', envelope.size());
  Transaction all(*db);
  for (size_t i = 0; i < count; ++i) ops::append(*db, envelope);
  all.commit();
}

// Ten ops, then whatever `tamper` does to them; what opening says after that.
Errc openedAfter(kj::StringPtr tamper) {
  Home home;
  appendOps(home, 10);
  { home.open()->run(tamper); }
  return home.tryOpen().error().code;
}

TEST_CASE("rows cut off the end of a chain are missed") {
  REQUIRE(openedAfter("DELETE FROM ops WHERE i = 9") == Errc::ROLLBACK);
  REQUIRE(openedAfter("DELETE FROM ops") == Errc::ROLLBACK);
}

TEST_CASE("a row that is changed, missing, or in another's place breaks the chain") {
  REQUIRE(openedAfter("UPDATE ops SET row = x'00' WHERE i = 3") == Errc::INTEGRITY_FAILED);
  REQUIRE(openedAfter("DELETE FROM ops WHERE i = 3") == Errc::INTEGRITY_FAILED);
  REQUIRE(
      openedAfter("UPDATE ops SET row_hash = zeroblob(32) WHERE i = 9") == Errc::INTEGRITY_FAILED);
  REQUIRE(openedAfter("UPDATE ops SET i = 10 WHERE i = 9") == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a head that was put back or taken away is noticed") {
  REQUIRE(
      openedAfter("UPDATE chains SET rows = 9, row_hash = (SELECT row_hash FROM ops WHERE i = 8)"
                  " WHERE name = 'ops'") == Errc::ROLLBACK);
  REQUIRE(openedAfter("UPDATE chains SET row_hash = zeroblob(32) WHERE name = 'ops'") ==
      Errc::INTEGRITY_FAILED);
  REQUIRE(openedAfter("DELETE FROM chains WHERE name = 'ops'") == Errc::INTEGRITY_FAILED);
  REQUIRE(openedAfter("UPDATE chains SET base_hash = x'00' WHERE name = 'ops'") ==
      Errc::INTEGRITY_FAILED);
}

TEST_CASE("a changed byte in any page is noticed") {
  Home first;
  appendOps(first, 20);
  auto files = contentOf(*first.directory);
  auto pages = files["hearth.db"].size() / PAGE_BYTES;
  size_t refused = 0;
  for (size_t page = 0; page < pages; ++page) {
    auto changed = files;
    changed["hearth.db"][page * PAGE_BYTES + 100] ^= 1;
    Home home(directoryWith(changed));
    auto opened = home.tryOpen();
    // What opening does not look at, whoever reads everything does.
    if (opened) REQUIRE_FALSE(checkUp(**opened).problems.empty());
    if (!opened) {
      REQUIRE(opened.error().code == (page == 0 ? Errc::DECRYPT_FAILED : Errc::INTEGRITY_FAILED));
      ++refused;
    }
  }
  REQUIRE(refused >= 15);  // the schema, the heads, and the pages of twenty ops
}

TEST_CASE("an older copy of a page, which SQLCipher accepts, is noticed") {
  Home home;
  appendOps(home, 20);
  auto before = contentOf(*home.directory).at("hearth.db");
  appendOps(home, 20);
  auto after = contentOf(*home.directory).at("hearth.db");
  size_t replaced = 0;
  // Page 1 holds no rows of a chain.
  for (size_t at = PAGE_BYTES; at < before.size(); at += PAGE_BYTES) {
    if (before.compare(at, PAGE_BYTES, after, at, PAGE_BYTES) == 0) continue;
    auto mixed = after;
    mixed.replace(at, PAGE_BYTES, before, at, PAGE_BYTES);
    Home mixedHome(directoryWith({{"hearth.db", mixed}}));
    auto refused = mixedHome.tryOpen();
    REQUIRE(!refused.has_value());
    ++replaced;
  }
  REQUIRE(replaced >= 2);  // the head, and the page that new rows went to
}

TEST_CASE("files with a broken chain stay as they were, with the log that a kill left") {
  Home first;
  appendOps(first, 10);
  auto db = first.open();
  db->run("DELETE FROM ops WHERE i = 9");
  auto files = contentOf(*first.directory);
  REQUIRE(files.at("hearth.db-wal").size() > 0);
  Home home(directoryWith(files));
  REQUIRE(home.tryOpen().error().code == Errc::ROLLBACK);
  REQUIRE(contentOf(*home.directory) == files);
}

TEST_CASE("an append that is undone leaves the chain as it was") {
  Home home;
  auto envelope = kj::StringPtr("envelope").asBytes();
  {
    auto db = home.open();
    auto before = db->chains;
    {
      Transaction undone(*db);
      ops::append(*db, envelope);
      REQUIRE(db->chains != before);
    }
    REQUIRE(db->chains == before);
    Transaction kept(*db);
    ops::append(*db, envelope);
    kept.commit();
  }
  REQUIRE(ops::all(*home.open())->size() == 1);
}

TEST_CASE("an append outside a transaction is the caller's mistake") {
  Home home;
  auto db = home.open();
  REQUIRE_THROWS_AS(ops::append(*db, kj::StringPtr("envelope").asBytes()), kj::Exception);
}

TEST_CASE("an envelope over its limit is the caller's mistake") {
  Home home;
  auto db = home.open();
  Transaction all(*db);
  auto large = kj::heapArray<kj::byte>(ops::ENVELOPE_BYTES_MAX + 1);
  REQUIRE_THROWS_AS(ops::append(*db, large), kj::Exception);
}

}  // namespace
}  // namespace hearth::storage
