// What is done next about the paths of a folder, by what its tables say.
#include "devices/folders/choosing.h"
#include "storage/tables/folder-choices.h"
#include "tests/storage/folder/states.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::devices {
namespace {

namespace folders = storage::folders;
namespace versions = storage::folder_versions;
using storage::device;
using storage::file;
using storage::FolderPath;
using storage::path;
using storage::PathState;
using storage::RecordName;
using Kind = PathState::Kind;
using Paths = std::vector<FolderPath>;

struct Tables {
  storage::Home home;
  kj::Own<storage::Database> db = home.open();
  int64_t folder = folders::add(*db, {.name = "photos", .path = "/photos"});
  uint64_t seq = 0;

  // Every device says so; in place of what was said before.
  RecordName say(std::string_view at, const PathState& state) {
    std::vector<RecordName> replaced;
    for (auto& version: versions::live(*db, folder, path(at))) replaced.push_back(version.name);
    RecordName name{device(1), seq++, 0};
    storage::Transaction transaction(*db);
    versions::apply(*db, folder, name, seq << 16, {{path(at), state, replaced}});
    transaction.commit();
    return name;
  }
  // And it lies there.
  void have(std::string_view at, const PathState& state, bool isFresh = false) {
    auto name = say(at, state);
    storage::Transaction transaction(*db);
    folders::put(*db, folder, {path(at), {.inode = seq}, state, name, isFresh});
    versions::consider(*db, folder, path(at));
    transaction.commit();
  }
  // A device that knew of nothing there: nothing is replaced.
  void sayUnknowing(std::string_view at, const PathState& state) {
    storage::Transaction transaction(*db);
    versions::apply(*db, folder, {device(2), 0, 0}, 9 << 16, {{path(at), state, {}}});
    transaction.commit();
  }
  FolderChoice choose(const std::set<FolderPath>& busy = {}) {
    return chooseSteps(*db, storage::folder_unsaid::Of(folder), {}, busy, 100);
  }
};

Paths pathsOf(const FolderChoice& choice) {
  Paths found;
  for (auto& step: choice.steps) found.push_back(step.path);
  return found;
}

TEST_CASE("what is pending is chosen in order, unless it is being seen to") {
  Tables tables;
  tables.say("b", file(2));
  tables.say("a", file(1));
  auto choice = tables.choose();
  REQUIRE(pathsOf(choice) == Paths{path("a"), path("b")});
  REQUIRE_FALSE(isReady(choice.steps.front()));
  REQUIRE(KJ_REQUIRE_NONNULL(choice.last) == path("b"));
  REQUIRE(pathsOf(tables.choose({path("a")})) == Paths{path("b")});
  REQUIRE(
      chooseSteps(*tables.db, storage::folder_unsaid::Of(tables.folder), path("b"), {}, 100).last ==
      nullptr);
}

TEST_CASE("a file that goes to another name is moved there, once") {
  Tables tables;
  tables.have("old", file(1));
  tables.say("old", {});
  tables.say("new", file(1));
  tables.say("other", file(1));
  auto choice = tables.choose();
  REQUIRE(pathsOf(choice) == Paths{path("new"), path("other")});
  REQUIRE(isReady(choice.steps[0]));
  REQUIRE(KJ_REQUIRE_NONNULL(choice.steps[0].from).path == path("old"));
  REQUIRE_FALSE(isReady(choice.steps[1]));
}

TEST_CASE("a file whose bytes are wanted elsewhere stays until they are there") {
  Tables tables;
  tables.have("old", file(1));
  tables.have("new", file(2));
  tables.say("old", {});
  tables.say("new", file(1));
  REQUIRE(pathsOf(tables.choose()) == Paths{path("new")});
}

TEST_CASE("a file whose stamp says nothing is looked at before anything is done to it") {
  Tables tables;
  tables.have("a", file(1), true);
  tables.say("a", file(2));
  auto choice = tables.choose();
  REQUIRE(choice.steps.empty());
  REQUIRE(choice.uncertain == Paths{path("a")});
}

TEST_CASE("a file whose stamp says nothing does not go to another name") {
  Tables tables;
  tables.have("old", file(1), true);
  tables.say("old", {});
  tables.say("new", file(1));
  auto choice = tables.choose();
  REQUIRE(pathsOf(choice) == Paths{path("new")});
  REQUIRE(choice.steps.front().from == nullptr);
  REQUIRE(choice.uncertain == Paths{path("old")});
}

TEST_CASE("a file in whose place a directory comes stays there until it is beside it") {
  Tables tables;
  tables.have("a", file(1));
  tables.sayUnknowing("a/x", file(2));
  REQUIRE(
      chooseSteps(*tables.db, storage::folder_unsaid::Of(tables.folder), {}, {}, 1).steps.empty());
  auto choice = tables.choose();
  REQUIRE(choice.steps.size() == 2);
  REQUIRE(KJ_REQUIRE_NONNULL(choice.steps[0].from).path == path("a"));
  REQUIRE(choice.steps[1].path == path("a/x"));
}

FolderStep arrived(std::string_view at, const PathState& state) {
  FolderStep step{path(at), versions::Version{.state = state}, nullptr, nullptr};
  step.arrived = FolderIncoming::Arrived{state.content, {}};
  return step;
}

TEST_CASE("of what has come that is placed which shall still be there, over what is certain") {
  Tables tables;
  tables.say("a", file(1));
  tables.say("b", file(3));  // and no more what was asked for
  tables.have("c", file(4), true);
  tables.say("c", file(5));
  tables.say("d", {});
  std::vector<FolderStep> steps;
  steps.push_back(arrived("a", file(1)));
  steps.push_back(arrived("b", file(2)));
  steps.push_back(arrived("c", file(5)));
  steps.push_back(arrived("d", file(6)));
  auto arrivals = stillWanted(*tables.db, storage::folder_unsaid::Of(tables.folder), kj::mv(steps));
  REQUIRE(arrivals.wanted.size() == 1);
  REQUIRE(arrivals.wanted.front().path == path("a"));
  REQUIRE(arrivals.wanted.front().arrived->ref == file(1).content);
  REQUIRE(arrivals.uncertain == Paths{path("c")});
  REQUIRE(arrivals.tooEarly.empty());
}

TEST_CASE(
    "a file that is away takes the place of a directory as nothing, and is not placed when it has come") {
  Tables tables;
  tables.have("a", {.kind = Kind::DIRECTORY, .attributes = {.mode = 0755}});
  tables.have("b", {.kind = Kind::DIRECTORY, .attributes = {.mode = 0755}});
  storage::Transaction transaction(*tables.db);
  REQUIRE(storage::folder_choices::choose(*tables.db, tables.folder, path("a"), false));
  transaction.commit();
  tables.say("a", file(1));
  tables.say("b", file(2));
  tables.say("c", file(3));
  auto choice = tables.choose();
  REQUIRE(pathsOf(choice) == Paths{path("a"), path("b"), path("c")});
  REQUIRE(choice.steps[0].shallBe(Kind::GONE));
  REQUIRE(choice.steps[1].shallBe(Kind::FILE));
  std::vector<FolderStep> steps;
  steps.push_back(arrived("a", file(1)));
  steps.push_back(arrived("c", file(3)));
  auto arrivals = stillWanted(*tables.db, storage::folder_unsaid::Of(tables.folder), kj::mv(steps));
  REQUIRE(arrivals.wanted.size() == 1);
  REQUIRE(arrivals.wanted.front().path == path("c"));
}

TEST_CASE("what lies there is not replaced before it is beside it") {
  Tables tables;
  tables.have("a.txt", file(1));
  tables.sayUnknowing("a.txt", file(2));
  std::vector<FolderStep> steps;
  steps.push_back(arrived("a.txt", file(2)));
  auto arrivals = stillWanted(*tables.db, storage::folder_unsaid::Of(tables.folder), kj::mv(steps));
  REQUIRE(arrivals.wanted.empty());
  REQUIRE(arrivals.tooEarly == Paths{path("a.txt")});
}

}  // namespace
}  // namespace hearth::devices
