// What is asked of the operation log's table is answered by its indices, and sorted nowhere.

#include "storage/tables/entries-queries.h"
#include "storage/tables/hearth-db.h"
#include "tests/storage/log/site.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

constexpr size_t BEFORE_INDICES = 3;  // migrations

std::string planOf(Database& db, kj::StringPtr sql) {
  std::string plan;
  auto select = db.query(kj::str("EXPLAIN QUERY PLAN ", sql));
  while (select.step()) plan += std::string(select.text(3).cStr()) + "\n";
  return plan;
}

void requireNoSorting(Database& db) {
  for (auto& sql: {entries::OF_TOPIC, entries::UNREAD, entries::TOPICS, entries::WRITTEN_BY,
           entries::FIND, entries::ALL}) {
    auto plan = planOf(db, sql);
    INFO(sql.cStr() << "\n" << plan);
    REQUIRE(plan.find("USING") != std::string::npos);
    REQUIRE(plan.find("INDEX") != std::string::npos);
    REQUIRE(plan.find("TEMP B-TREE") == std::string::npos);
  }
}

TEST_CASE("a document's entries are found by an index, in their order") {
  sim::SimDisk disk{sim::Chance(1)};
  Home home{disk.directory()};
  auto db = home.open();
  requireNoSorting(*db);
}

TEST_CASE("a database from before the indices by topic is given them, and keeps its entries") {
  TwoSites sites;
  sim::SimDisk disk{sim::Chance(1)};
  Home home{disk.directory()};
  Content content{{1, 0, "topic"}, kj::heapArray<kj::byte>(3)};
  REQUIRE(
      sites.anna->log.append(ownDocuments(), kj::mv(content)).wait(sites.uv.waitScope).has_value());
  auto written = Entry::read(kj::mv(sites.anna->envelopes(ownDocuments(), sites.uv.waitScope)[0]));
  {
    Schema older{HEARTH_SCHEMA.migrations.slice(0, BEFORE_INDICES), HEARTH_SCHEMA.chains};
    auto db = home.open(older);
    auto plan = planOf(*db, entries::OF_TOPIC);
    REQUIRE(plan.find("TEMP B-TREE") != std::string::npos);  // that it was so
    Transaction transaction(*db);
    REQUIRE(entries::append(*db, *written, {1, 0, "topic"}).has_value());
    transaction.commit();
  }
  auto db = home.open();
  requireNoSorting(*db);
  REQUIRE(entries::ofTopic(*db, ownDocuments(), "topic", 0, 1 << 20).size() == 1);
  REQUIRE(entries::find(*db, ownDocuments(), "topic", written->head.author, 0) != nullptr);
}

}  // namespace
}  // namespace hearth::storage
