// What all devices make of a folder's paths: the same everywhere, whatever comes in which order.
#include "storage/tables/folder-versions.h"
#include "tests/storage/folder/states.h"
#include "tests/storage/home.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

namespace hearth::storage {
namespace {

namespace versions = folder_versions;
using Kind = PathState::Kind;

// One device's view of one folder.
struct Replica {
  Home home;
  kj::Own<Database> db = home.open();
  int64_t folder = folders::add(*db, {.name = "photos", .path = "/photos"});

  void apply(const RecordName& first, uint64_t time, const std::vector<FolderRecord>& records) {
    Transaction transaction(*db);
    versions::apply(*db, folder, first, time, records);
    transaction.commit();
  }
  kj::Maybe<versions::Version> shown(const FolderPath& at) {
    return versions::shown(*db, folder, at);
  }
  std::vector<std::string> pending() {
    std::vector<std::string> found;
    for (auto& at: versions::pending(*db, folder, versions::Order::FORWARDS, {}, 1'000))
      found.push_back(at.str());
    return found;
  }
};

using Strings = std::vector<std::string>;

TEST_CASE("a record is shown in place of what it replaces") {
  Replica one;
  RecordName first{device(1), 0, 0}, second{device(2), 0, 0};
  one.apply(first, 10, {{path("a"), file(1), {}}});
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(path("a"))).state == file(1));
  REQUIRE(one.pending() == Strings{"a"});
  one.apply(
      second, 5, {{path("a"), file(2), {first}}});  // of an earlier clock, and later all the same
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(path("a"))).state == file(2));
  REQUIRE(versions::live(*one.db, one.folder, path("a")).size() == 1);
}

TEST_CASE("what is replaced before it has come is nothing when it comes") {
  Replica one;
  RecordName first{device(1), 0, 0}, second{device(2), 0, 0};
  one.apply(second, 20, {{path("a"), file(2), {first}}});
  one.apply(first, 10, {{path("a"), file(1), {}}});
  auto live = versions::live(*one.db, one.folder, path("a"));
  REQUIRE(live.size() == 1);
  REQUIRE(live.front().name == second);
}

TEST_CASE(
    "of two that did not know of each other the later is shown, and the other kept beside it") {
  Replica one;
  one.apply({device(1), 0, 0}, 10 << 16, {{path("d/report.txt"), file(1), {}}});
  one.apply({device(2), 0, 0}, 20 << 16, {{path("d/report.txt"), file(2), {}}});
  auto live = versions::live(*one.db, one.folder, path("d/report.txt"));
  REQUIRE(live.size() == 2);
  REQUIRE(live.front().state == file(2));
  auto beside = versions::besideName(path("d/report.txt"), live.back());
  REQUIRE(beside.str().starts_with("d/report (conflict 1970-01-01 000000 "));
  REQUIRE(beside.str().ends_with(").txt"));
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(beside)).state == file(1));
  REQUIRE(one.pending() == Strings{beside.str(), "d/report.txt"});
  // Whoever removes it there has settled the conflict.
  one.apply({device(2), 1, 0}, 30 << 16, {{beside, {}, {live.back().name}}});
  REQUIRE(versions::live(*one.db, one.folder, path("d/report.txt")).size() == 1);
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(beside)).state.kind == Kind::GONE);
}

TEST_CASE("a change wins over a removal that did not know of it, and nothing is kept beside it") {
  Replica one;
  RecordName first{device(1), 0, 0};
  one.apply(first, 10, {{path("a"), file(1), {}}});
  one.apply({device(2), 0, 0}, 20, {{path("a"), file(2), {first}}});
  one.apply({device(3), 0, 0}, 30, {{path("a"), {}, {first}}});
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(path("a"))).state == file(2));
  REQUIRE(one.pending() == Strings{"a"});
}

TEST_CASE("two that bring the same bytes do not contradict each other") {
  Replica one;
  auto later = file(1);
  later.attributes.modifiedNs = 77;
  one.apply({device(1), 0, 0}, 10, {{path("a"), file(1), {}}});
  one.apply({device(2), 0, 0}, 20, {{path("a"), later, {}}});
  REQUIRE(one.pending() == Strings{"a"});
}

TEST_CASE("a name for what is kept beside is no longer than names may be, and whole") {
  versions::Version version{{device(1), 0, 0}, 10 << 16, file(1)};
  std::string umlauts;
  for (int i = 0; i < 120; ++i) umlauts += "\u00fc";
  for (auto& name: {umlauts + ".txt", std::string(255, 'a'), "." + std::string(200, 'b')}) {
    auto beside = versions::besideName(path(name), version);
    REQUIRE(beside.name().size() <= FolderPath::NAME_BYTES_MAX);
    REQUIRE(beside != path(name));
  }
}

TEST_CASE("a path is pending until what lies there is what is shown") {
  Replica one;
  RecordName first{device(1), 0, 0};
  one.apply(first, 10, {{path("a"), file(1), {}}});
  folders::put(*one.db, one.folder, {path("a"), {}, file(1), first});
  versions::consider(*one.db, one.folder, path("a"));
  one.apply({device(2), 0, 0}, 20, {{path("b"), {}, {}}});
  REQUIRE(one.pending() == Strings{});  // nothing shall be where nothing is
  one.apply({device(2), 1, 0}, 30, {{path("a"), {}, {first}}});
  REQUIRE(one.pending() == Strings{"a"});
}

TEST_CASE(
    "a path with something in it is a directory, and a file that was said to be there is kept beside it") {
  Replica one;
  RecordName file1{device(1), 0, 0}, inside{device(2), 0, 0};
  one.apply(inside, 10 << 16, {{path("d/e/a"), file(2), {}}});
  one.apply(file1, 20 << 16, {{path("d"), file(1), {}}});
  auto shown = KJ_REQUIRE_NONNULL(one.shown(path("d")));
  REQUIRE(shown.state.kind == Kind::DIRECTORY);
  REQUIRE(shown.isImplied());
  auto beside = versions::besideName(path("d"), {file1, 20 << 16, file(1)});
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(beside)).state == file(1));
  REQUIRE(one.pending() == Strings{beside.str(), "d/e/a"});
  // When it is empty it is the file again, as nobody has said that it is a directory.
  one.apply({device(2), 1, 0}, 30 << 16, {{path("d/e/a"), {}, {inside}}});
  REQUIRE(KJ_REQUIRE_NONNULL(one.shown(path("d"))).state == file(1));
  REQUIRE(one.pending() == Strings{"d"});
}

TEST_CASE("what this device may have put somewhere is known until it is known what lies there") {
  Replica one;
  RecordName first{device(1), 0, 0}, second{device(1), 1, 0}, third{device(1), 2, 0};
  one.apply(first, 10, {{path("a"), file(1), {}}});
  folders::put(*one.db, one.folder, {path("a"), {}, file(1), first});
  versions::consider(*one.db, one.folder, path("a"));
  auto placed = [&](uint32_t what) {
    auto found = versions::placed(*one.db, one.folder, path("a"), file(what));
    return found.map([](auto& version) { return version.name; });
  };
  REQUIRE(placed(1) == nullptr);
  one.apply(second, 20, {{path("a"), file(2), {first}}});
  one.apply(third, 30, {{path("a"), file(3), {second}}});
  REQUIRE(KJ_REQUIRE_NONNULL(placed(2)) == second);
  REQUIRE(KJ_REQUIRE_NONNULL(placed(3)) == third);
  REQUIRE(placed(4) == nullptr);
  folders::put(*one.db, one.folder, {path("a"), {}, file(3), third});
  versions::consider(*one.db, one.folder, path("a"));
  REQUIRE(placed(2) == nullptr);
}

// Devices that write without knowing of each other, and entries that come late, twice and in any order.
TEST_CASE("replicas that have all entries show the same, in whatever order they came, 150 seeds") {
  size_t beside = 0, gone = 0;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    struct Entry {
      RecordName first;
      uint64_t time;
      std::vector<FolderRecord> records;
    };
    constexpr size_t DEVICES = 3;
    std::vector<Entry> all;
    Replica replicas[DEVICES];
    std::vector<size_t> has[DEVICES];
    uint64_t seqs[DEVICES] = {};
    Strings names = {"a", "b", "d/c"};
    for (int step = 0; step < 30; ++step) {
      auto who = random() % DEVICES;
      if (random() % 2 == 0) {
        Entry entry{{device(static_cast<kj::byte>(who + 1)), seqs[who]++, 0}, random() % 50, {}};
        auto at = path(names[random() % names.size()]);
        auto state = random() % 4 == 0 ? PathState() : file(1 + random() % 6);
        std::vector<RecordName> replaced;
        KJ_IF_MAYBE(version, replicas[who].shown(at)) replaced.push_back(version->name);
        entry.records.push_back({at, state, replaced});
        replicas[who].apply(entry.first, entry.time, entry.records);
        has[who].push_back(all.size());
        all.push_back(kj::mv(entry));
      } else if (!all.empty()) {
        auto which = random() % all.size();
        replicas[who].apply(all[which].first, all[which].time, all[which].records);
        has[who].push_back(which);
      }
    }
    for (auto& replica: replicas) {
      for (auto& entry: all) replica.apply(entry.first, entry.time, entry.records);
    }
    // By hand: what no record replaces.
    std::set<RecordName> replaced;
    for (auto& entry: all) {
      for (auto& record: entry.records)
        replaced.insert(record.replaced.begin(), record.replaced.end());
    }
    for (auto& name: names) {
      std::set<RecordName> expected;
      for (auto& entry: all) {
        if (entry.records[0].path == path(name) && !replaced.contains(entry.first))
          expected.insert(entry.first);
      }
      auto first = versions::live(*replicas[0].db, replicas[0].folder, path(name));
      std::set<RecordName> found;
      for (auto& version: first) found.insert(version.name);
      REQUIRE(found == expected);
      for (auto& replica: replicas)
        REQUIRE(versions::live(*replica.db, replica.folder, path(name)) == first);
      gone += !first.empty() && first.front().state.kind == Kind::GONE;
    }
    auto pending = replicas[0].pending();
    for (auto& replica: replicas) REQUIRE(replica.pending() == pending);
    beside += static_cast<size_t>(
        std::ranges::count_if(pending, [](auto& at) { return at.find("conflict") != at.npos; }));
  }
  REQUIRE(beside > 50);
  REQUIRE(gone > 20);
}

}  // namespace
}  // namespace hearth::storage
