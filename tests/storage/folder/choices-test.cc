// What of a folder is kept on a device, and what becomes of its paths by that.
#include "storage/tables/folder-choices.h"
#include "storage/tables/folder-listing.h"
#include "tests/storage/folder/states.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace hearth::storage {
namespace {

namespace choices = folder_choices;
namespace listing = folder_listing;
namespace versions = folder_versions;
using Kind = PathState::Kind;
using Strings = std::vector<std::string>;

struct Tables {
  Home home;
  kj::Own<Database> db = home.open();
  int64_t folder = folders::add(*db, {.name = "photos", .path = "/photos"});
  uint64_t seq = 0;

  // Another device says so; in place of what was said before, unless it has not heard of that.
  RecordName say(std::string_view at, const PathState& state, bool hasHeard = true) {
    std::vector<RecordName> replaced;
    if (hasHeard) {
      for (auto& version: versions::live(*db, folder, path(at))) replaced.push_back(version.name);
    }
    DeviceId device;
    device.bytes[0] = 1;
    RecordName name{device, seq++, 0};
    Transaction transaction(*db);
    versions::apply(*db, folder, name, seq << 16, {{path(at), state, replaced}});
    transaction.commit();
    return name;
  }
  void lies(std::string_view at, const PathState& state, const RecordName& version) {
    Transaction transaction(*db);
    folders::put(*db, folder, {path(at), {.inode = 1, .size = 10}, state, version});
    versions::consider(*db, folder, path(at));
    transaction.commit();
  }
  void have(std::string_view at, const PathState& state) { lies(at, state, say(at, state)); }
  bool choose(const FolderPath& at, bool keep) {
    Transaction transaction(*db);
    auto chosen = choices::choose(*db, folder, at, keep);
    transaction.commit();
    return chosen.has_value();
  }
  void free(std::string_view at) { REQUIRE(choose(path(at), false)); }
  void keep(std::string_view at) { REQUIRE(choose(path(at), true)); }
  bool isKept(std::string_view at) { return choices::isKept(*db, folder, path(at)); }
  bool isAway(std::string_view at) { return versions::isAway(*db, folder, path(at)); }
  Strings pending() {
    Strings found;
    for (auto& at: versions::pending(*db, folder, versions::Order::FORWARDS, {}, 1'000))
      found.push_back(at.str());
    return found;
  }
  Strings chosen() {
    Strings found;
    for (auto& choice: choices::all(*db, folder))
      found.push_back((choice.isKept ? "+" : "-") + choice.path.str());
    return found;
  }
};

TEST_CASE("the nearest choice counts, and without one everything is kept") {
  Tables it;
  REQUIRE(it.isKept("a/b"));
  it.free("a");
  it.keep("a/b");
  REQUIRE_FALSE(it.isKept("a/c"));
  REQUIRE(it.isKept("a/b"));
  REQUIRE(it.isKept("a/b/c"));
  REQUIRE(it.isKept("ab"));
  it.free("a");
  REQUIRE_FALSE(it.isKept("a/b/c"));
  REQUIRE(it.chosen() == Strings{"-a"});
  it.keep("a");
  REQUIRE(it.chosen().empty());
}

TEST_CASE("only what is named is kept, whatever was chosen before") {
  Tables it;
  it.free("z");
  Transaction transaction(*it.db);
  REQUIRE(choices::keepOnly(*it.db, it.folder, {path("a/b"), path("c")}));
  transaction.commit();
  REQUIRE(it.chosen() == Strings{"-", "+a/b", "+c"});
  REQUIRE_FALSE(it.isKept("a"));
}

TEST_CASE("more choices than there may be are refused, and change nothing") {
  Tables it;
  for (size_t i = 0; i < choices::CHOICES_MAX; ++i) it.free("d/" + std::to_string(i));
  REQUIRE_FALSE(it.choose(path("e"), false));
  REQUIRE(it.isKept("e"));
  it.free("d");
  REQUIRE(it.choose(path("e"), false));
}

TEST_CASE("of what is not kept no file is to come, and everything else is") {
  Tables it;
  it.free("a");
  it.say("a", {.kind = Kind::DIRECTORY, .attributes = {.mode = 0755}});
  it.say("a/file", file(1));
  it.say("a/link", {.kind = Kind::SYMLINK, .target = "file"});
  it.say("b", file(2));
  REQUIRE(it.pending() == Strings{"a", "a/link", "b"});
  REQUIRE(it.isAway("a/file"));
  auto totals = folders::totals(*it.db, it.folder);
  REQUIRE(totals.pending == 3);
  REQUIRE(totals.awayFiles == 1);
  REQUIRE(totals.awayBytes == 1);
}

TEST_CASE("new states of what is away are known and do not come; it comes when it is kept again") {
  Tables it;
  it.free("a");
  it.say("a", file(1));
  auto newest = it.say("a", file(7));
  REQUIRE(it.pending().empty());
  REQUIRE(folders::totals(*it.db, it.folder).awayBytes == 7);
  it.keep("a");
  REQUIRE(it.pending() == Strings{"a"});
  REQUIRE(KJ_REQUIRE_NONNULL(versions::shown(*it.db, it.folder, path("a"))).name == newest);
}

TEST_CASE("what is here stays in step for as long as it is here, whatever is chosen") {
  Tables it;
  it.have("a", file(1));
  it.free("a");
  REQUIRE_FALSE(it.isAway("a"));
  it.say("a", file(2));
  REQUIRE(it.pending() == Strings{"a"});
}

TEST_CASE("what is removed elsewhere is not away any more") {
  Tables it;
  it.free("a");
  it.say("a", file(1));
  it.say("a", {});
  REQUIRE_FALSE(it.isAway("a"));
  REQUIRE(folders::totals(*it.db, it.folder).awayFiles == 0);
}

TEST_CASE("what is to be kept beside a kept path comes, although nothing else does") {
  Tables it;
  it.say("a", file(1));
  Transaction transaction(*it.db);
  REQUIRE(choices::keepOnly(*it.db, it.folder, {path("a")}));
  transaction.commit();
  it.say("a", file(2), false);
  REQUIRE(it.pending().size() == 2);
}

TEST_CASE(
    "who holds one of two that contradict each other keeps it, also where its path is not kept") {
  Tables it;
  it.have("a", file(1));
  it.free("a");
  it.say("a", file(2), false);
  auto pending = it.pending();
  REQUIRE(pending.size() == 2);
  auto beside = path(pending[0] == "a" ? pending[1] : pending[0]);
  REQUIRE(KJ_REQUIRE_NONNULL(versions::shown(*it.db, it.folder, beside)).state == file(1));
}

TEST_CASE(
    "what lies beside a path comes back to it when the other one goes, also where it is not kept") {
  Tables it;
  it.free("a");
  auto first = it.say("a", file(1));
  auto second = it.say("a", file(2), false);
  auto found = listing::list(*it.db, it.folder, {}, "", 10);
  REQUIRE(found.size() == 2);
  auto beside = found[0].name == "a" ? found[1].name : found[0].name;
  it.lies(beside, file(1), first);
  REQUIRE(it.isAway("a"));
  DeviceId device;
  device.bytes[0] = 2;
  Transaction transaction(*it.db);
  versions::apply(
      *it.db, it.folder, {device, 0, 0}, 99 << 16, {{path("a"), PathState(), {second}}});
  transaction.commit();
  REQUIRE(it.pending() == Strings{"a", beside});
}

TEST_CASE("a directory that another device renames is away under its new name") {
  Tables it;
  it.free("a/big");
  it.say("a/big/x/one", file(1));
  it.say("a/big/two", file(2));
  SECTION("alone") {
    it.say("a/big/x/one", {});
    it.say("a/big/two", {});
    it.say("a/large/x/one", file(1));
    REQUIRE(it.chosen() == Strings{"-a/large"});
    it.say("a/large/two", file(2));
    it.say("a/large/new", file(3));
  }
  SECTION("with the one that it is in, and after what is new in it") {
    it.say("a/big/x/one", {});
    it.say("a/big/two", {});
    it.say("b/big/new", file(3));
    REQUIRE(it.pending() == Strings{"b/big/new"});
    it.say("b/big/two", file(2));
    REQUIRE(it.chosen() == Strings{"-b/big"});
    it.say("b/big/x/one", file(1));
  }
  REQUIRE(it.pending().empty());
}

TEST_CASE("a file that is moved out of a directory that stays is kept as where it comes to") {
  Tables it;
  it.free("big");
  it.say("big/one", file(1));
  it.say("big/two", file(2));
  it.say("big/one", {});
  it.say("kept/one", file(1));
  REQUIRE(it.chosen() == Strings{"-big"});
  REQUIRE(it.pending() == Strings{"kept/one"});
}

TEST_CASE("of a directory all that all devices made of it is listed, here and away") {
  Tables it;
  it.free("d/away");
  it.have("d/here", file(10));
  it.say("d/away/one", file(3));
  it.say("d/away b/one", file(4));
  it.say("d/away/two", file(5));
  it.say("d/gone", file(1));
  it.say("d/gone", {});
  it.say("d/link", {.kind = Kind::SYMLINK, .target = "here"});
  auto all = listing::list(*it.db, it.folder, path("d"), "", 10);
  Strings names;
  for (auto& entry: all) names.push_back(entry.name);
  REQUIRE(names == Strings{"away", "away b", "here", "link"});
  REQUIRE(all[0].state.kind == Kind::DIRECTORY);
  REQUIRE_FALSE(all[0].isKept);
  REQUIRE(all[2].isHere);
  auto one = KJ_REQUIRE_NONNULL(listing::find(*it.db, it.folder, path("d/away/one")));
  REQUIRE_FALSE(one.isHere);
  REQUIRE(listing::held(*it.db, it.folder, path("d/away")) == listing::Held{0, 0, 2, 8});
  REQUIRE(listing::held(*it.db, it.folder, path("d/away/two")) == listing::Held{0, 0, 1, 5});
  REQUIRE(listing::held(*it.db, it.folder, path("d")) == listing::Held{1, 10, 2, 8});
  REQUIRE(listing::held(*it.db, it.folder, {}) == listing::Held{1, 10, 2, 8});
  REQUIRE(listing::find(*it.db, it.folder, path("d/gone")) == nullptr);
}

TEST_CASE("a long listing comes in parts, and what is gone takes no room in them") {
  Tables it;
  for (auto name: {"a", "b", "c", "d", "e", "f"}) it.say(name, file(1));
  for (auto name: {"b", "c", "d"}) it.say(name, {});
  Strings names;
  for (std::string after;;) {
    auto some = listing::list(*it.db, it.folder, {}, after, 2);
    for (auto& entry: some) names.push_back(entry.name);
    if (some.size() < 2) break;
    after = some.back().name;
  }
  REQUIRE(names == Strings{"a", "e", "f"});
}

TEST_CASE("files at a path and in it are given in parts, and no others") {
  Tables it;
  for (auto name: {"a", "d/one", "d/s/two", "d b", "d/three", "e/one"}) it.have(name, file(1));
  Strings found;
  kj::Maybe<FolderPath> after;
  for (;;) {
    auto some = folders::filesWithin(*it.db, it.folder, path("d"), after, 2);
    if (some.empty()) break;
    for (auto& local: some) found.push_back(local.path.str());
    after = some.back().path;
  }
  REQUIRE(found == Strings{"d/one", "d/three", "d/s/two"});
  REQUIRE(folders::filesWithin(*it.db, it.folder, path("a"), nullptr, 9).size() == 1);
  REQUIRE(folders::filesWithin(*it.db, it.folder, {}, nullptr, 9).size() == 6);
}

TEST_CASE("what is about to leave is known until it has left or stays") {
  Tables it;
  it.have("a", file(1));
  auto local = KJ_REQUIRE_NONNULL(folders::find(*it.db, it.folder, path("a")));
  Transaction transaction(*it.db);
  choices::leaves(*it.db, it.folder, local);
  auto leaving = choices::leaving(*it.db, it.folder, 10);
  REQUIRE(leaving.size() == 1);
  REQUIRE(leaving[0].path == path("a"));
  REQUIRE(leaving[0].version == local.version);
  choices::stays(*it.db, it.folder, path("a"));
  REQUIRE(choices::leaving(*it.db, it.folder, 10).empty());
  transaction.commit();
}

}  // namespace
}  // namespace hearth::storage
