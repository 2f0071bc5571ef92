#include "storage/tables/folders.h"
#include "storage/tables/search-state.h"
#include "tests/storage/log/site.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage::search_state {
namespace {

folders::Local fileAt(std::string_view path) {
  folders::Local local;
  local.path = FolderPath::parse(path).value();
  local.state.kind = PathState::Kind::DIRECTORY;
  return local;
}

std::vector<std::string> pathsOwed(Database& db, int64_t folder) {
  std::vector<std::string> paths;
  for (auto& path: owed(db, folder, 100)) paths.push_back(path.directory + "|" + path.name);
  return paths;
}

using Paths = std::vector<std::string>;

TEST_CASE("a path that is put or dropped is owed, one whose bytes are what they were is not") {
  Home home;
  auto db = home.open();
  folders::put(*db, 1, fileAt("d/a"));
  folders::put(*db, 2, fileAt("b"));
  REQUIRE(pathsOwed(*db, 1) == Paths{"d|a"});
  done(*db, owed(*db, 1, 1)[0]);
  REQUIRE(pathsOwed(*db, 1).empty());
  folders::restamp(*db, 1, fileAt("d/a").path, {});
  REQUIRE(pathsOwed(*db, 1).empty());
  folders::drop(*db, 1, fileAt("d/a").path);
  REQUIRE(pathsOwed(*db, 1) == Paths{"d|a"});
  REQUIRE(totals(*db).paths == 2);
}

TEST_CASE("a path that changes while it is looked at is owed still") {
  Home home;
  auto db = home.open();
  folders::put(*db, 1, fileAt("a"));
  auto looked = owed(*db, 1, 1)[0];
  folders::put(*db, 1, fileAt("a"));
  done(*db, looked);
  REQUIRE(pathsOwed(*db, 1) == Paths{"|a"});
}

TEST_CASE("of a folder that is removed nothing is owed but that it goes") {
  Home home;
  auto db = home.open();
  auto collection = ownDocuments();
  auto number = folders::add(*db, {0, "papers", collection, "/papers"});
  folders::put(*db, number, fileAt("a"));
  folders::remove(*db, number);
  REQUIRE(pathsOwed(*db, number).empty());
  REQUIRE(KJ_ASSERT_NONNULL(nextGone(*db)) == collection);
  REQUIRE(totals(*db).isGoing);
  goneIsDone(*db, collection);
  REQUIRE(nextGone(*db) == nullptr);
}

TEST_CASE("serials are never the same again") {
  Home home;
  auto db = home.open();
  auto first = nextSerial(*db);
  REQUIRE(nextSerial(*db) == first + 1);
}

struct Writing: TwoSites {
  void set(Site& site, const char* document, const char* text) {
    auto opened = site.documents.open(document).wait(uv.waitScope);
    auto done =
        (*opened)
            ->change([&](Draft& draft) { return draft.set({"t"}, Tree{std::string(text)}); })
            .wait(uv.waitScope);
    REQUIRE(done.has_value());
  }
  Written writtenAt(Site& site) {
    return site.store->read([](Database& db) { return written(db, ownDocuments(), 100); })
        .wait(uv.waitScope);
  }
  void finish(Site& site, const Written& topics) {
    site.store->write([topics](Database& db) { done(db, topics); }).wait(uv.waitScope);
  }
};

TEST_CASE(
    "topics that were written to are told once they are asked for, until they were looked at") {
  Writing both;
  auto& site = *both.anna;
  both.set(site, "notes", "milk");
  both.set(site, "notes", "bread");
  both.set(site, "list", "milk");
  auto first = both.writtenAt(site);
  REQUIRE(first.topics == Paths{"list", "notes"});
  both.set(site, "notes", "oats");
  both.finish(site, first);
  auto second = both.writtenAt(site);
  REQUIRE(second.topics == Paths{"notes"});
  both.finish(site, second);
  auto last = both.writtenAt(site);
  REQUIRE(last.topics.empty());
  REQUIRE(last.upto == last.from);
}

TEST_CASE("an entry that can be read only later is looked at then") {
  Writing both;
  both.set(*both.anna, "notes", "milk");
  both.ben->lot.who.canRead = false;
  both.ben->takeAllOf(*both.anna, both.uv.waitScope);
  auto unread = both.writtenAt(*both.ben);
  REQUIRE(unread.topics.empty());
  REQUIRE(unread.upto > unread.from);
  both.finish(*both.ben, unread);
  both.ben->lot.who.canRead = true;
  both.ben->log.readAgain().wait(both.uv.waitScope);
  REQUIRE(both.writtenAt(*both.ben).topics == Paths{"notes"});
}

TEST_CASE("an entry that can be read once others were looked at is looked at too") {
  Writing both;
  both.set(*both.anna, "notes", "milk");
  both.ben->lot.who.canRead = false;
  both.ben->takeAllOf(*both.anna, both.uv.waitScope);
  auto unread = both.writtenAt(*both.ben);
  both.ben->lot.who.canRead = true;
  both.ben->log.readAgain().wait(both.uv.waitScope);
  both.finish(*both.ben, unread);
  REQUIRE(both.writtenAt(*both.ben).topics == Paths{"notes"});
}

TEST_CASE("what is done with an older place does not count") {
  Writing both;
  auto& site = *both.anna;
  both.set(site, "list", "milk");
  both.finish(site, both.writtenAt(site));
  both.set(site, "notes", "milk");
  auto before = both.writtenAt(site);
  site.store->write([](Database& db) { seenAnew(db, 1); }).wait(both.uv.waitScope);
  both.finish(site, before);
  REQUIRE(both.writtenAt(site).topics == Paths{"list", "notes"});
}

}  // namespace
}  // namespace hearth::storage::search_state
