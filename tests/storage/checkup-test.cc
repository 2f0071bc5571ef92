#include "storage/sql/checkup.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::storage {
namespace {

void appendOps(Database& db, size_t count) {
  auto row = kj::heapArray<kj::byte>(3'000);
  memset(row.begin(), 'o', row.size());
  Transaction transaction(db);
  for (size_t i = 0; i < count; ++i) chain::append(db, "ops", row);
  transaction.commit();
}

TEST_CASE("a database that is as it was written has no problems") {
  Home home;
  auto db = home.open();
  appendOps(*db, 20);
  auto found = checkUp(*db);
  REQUIRE(found.problems.empty());
  REQUIRE(found.pages > 20);
}

TEST_CASE("rows of a chain that were changed since it was opened are a problem") {
  Home home;
  auto db = home.open();
  appendOps(*db, 3);
  db->run("UPDATE ops SET row = x'00' WHERE i = 1");
  REQUIRE(checkUp(*db).problems.size() == 1);
  db->run("DELETE FROM ops");
  db->run("UPDATE chains SET rows = 0, row_hash = zeroblob(32) WHERE name = 'ops'");
  REQUIRE(checkUp(*db).problems.size() == 1);
  appendOps(*db, 1);  // what is remembered is what was
  REQUIRE(db->chains.at("ops").rows == 4);
}

}  // namespace
}  // namespace hearth::storage
