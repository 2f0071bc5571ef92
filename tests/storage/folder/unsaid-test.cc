// What was changed in a folder that only receives.
#include "storage/tables/folder-unsaid.h"
#include "tests/storage/folder/states.h"
#include "tests/storage/home.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

namespace unsaid = folder_unsaid;
using folders::Direction;
using folders::Local;
using Strings = std::vector<std::string>;

struct Tables {
  Home home;
  kj::Own<Database> db = home.open();
  int64_t folder =
      folders::add(*db, {.name = "photos", .path = "/photos", .direction = Direction::RECEIVE});
  unsaid::Of receiving{folder, Direction::RECEIVE}, both{folder};

  static Local local(std::string_view at, uint64_t inode, const PathState& state) {
    return {path(at), {.inode = inode, .size = 10}, state, {}};
  }
  void known(std::string_view at) { folders::put(*db, folder, local(at, 1, file(at))); }
  void changed(std::string_view at, const PathState& state) {
    unsaid::put(*db, folder, local(at, 2, state));
  }
  static PathState file(std::string_view at) {
    PathState state{.kind = PathState::Kind::FILE};
    state.content.top.length = at.size();
    return state;
  }
  static Strings pathsOf(const std::vector<Local>& locals) {
    Strings paths;
    for (auto& local: locals) paths.push_back(local.path.str());
    std::ranges::sort(paths);
    return paths;
  }
};

TEST_CASE("what was changed here is what was seen there last, in a folder that only receives") {
  Tables tables;
  auto& db = *tables.db;
  for (auto* at: {"a", "b", "in/c", "in/deep/d"}) tables.known(at);
  tables.changed("a", Tables::file("a longer one"));
  tables.changed("in/c", {});
  tables.changed("in/new", Tables::file("new"));
  tables.changed("in/deep/new", Tables::file("new"));
  auto inodeOf = [&](unsaid::Of folder, std::string_view at) {
    return unsaid::seen(db, folder, path(at))
        .map([](auto& local) { return local.stamp.inode; })
        .orDefault(0);
  };
  REQUIRE(inodeOf(tables.receiving, "a") == 2);
  REQUIRE(inodeOf(tables.both, "a") == 1);
  REQUIRE(inodeOf(tables.receiving, "b") == 1);
  REQUIRE(inodeOf(tables.receiving, "in/c") == 0);
  REQUIRE(inodeOf(tables.both, "in/c") == 1);
  REQUIRE(Tables::pathsOf(unsaid::seenIn(db, tables.receiving, path("in"))) == Strings{"in/new"});
  REQUIRE(Tables::pathsOf(unsaid::seenIn(db, tables.both, path("in"))) == Strings{"in/c"});
  REQUIRE(Tables::pathsOf(unsaid::seenBelow(db, tables.receiving, path("in"))) ==
      Strings{"in/deep/d", "in/deep/new", "in/new"});
  REQUIRE(unsaid::count(db, tables.folder) == 4);
  REQUIRE(unsaid::all(db, tables.folder, 2) == std::vector<FolderPath>{path("a"), path("in/c")});
}

TEST_CASE(
    "what was changed here is forgotten path by path, and with the folder, and not when it goes another way") {
  Tables tables;
  auto& db = *tables.db;
  tables.changed("a", Tables::file("a"));
  tables.changed("b", {});
  Local over = Tables::local("a", 2, Tables::file("a"));
  over.version = {device(3), 4, 5};
  unsaid::put(db, tables.folder, over);
  REQUIRE(KJ_REQUIRE_NONNULL(unsaid::find(db, tables.folder, path("a"))) == over);
  unsaid::drop(db, tables.folder, path("a"));
  REQUIRE(unsaid::find(db, tables.folder, path("a")) == nullptr);
  REQUIRE(folders::all(db).front().direction == Direction::RECEIVE);
  folders::setDirection(db, tables.folder, Direction::BOTH);
  REQUIRE(folders::all(db).front().direction == Direction::BOTH);
  REQUIRE(unsaid::count(db, tables.folder) == 1);
  folders::remove(db, tables.folder);
  REQUIRE(unsaid::count(db, tables.folder) == 0);
}

}  // namespace
}  // namespace hearth::storage
