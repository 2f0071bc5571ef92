// What only a folder in memory does: losing power, and faults on demand. What every folder does is held to
// tests/devices/folders.
#include "simulator/disk/sim-tree-watcher.h"
#include "simulator/disk/sim-tree.h"
#include "simulator/disk/tree-owner.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace hearth::sim {
namespace {

using storage::FolderPath;
using storage::TreeError;
using Everything = std::map<std::string, std::string>;

FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

kj::ArrayPtr<const kj::byte> bytesOf(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

struct Folder {
  TreeImage image;
  kj::Own<SimTree> tree = kj::heap<SimTree>(image);
  TreeOwner owner{image};

  explicit Folder(uint64_t seed = 1): image(Chance(seed)) {}

  void stage(const std::string& name, const std::string& text) {
    auto staged = tree->stage(name).value();
    REQUIRE(staged->write(0, bytesOf(text)));
    REQUIRE(staged->finish(text.size(), {0644, 0, {}}));
  }
  void losePower() {
    image.losePower();
    tree = kj::heap<SimTree>(image);
  }
};

// What losses of power leave of a story, over many seeds.
template <typename Story>
std::set<Everything> outcomes(Story story) {
  std::set<Everything> all;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Folder folder(seed);
    story(folder);
    folder.losePower();
    all.insert(folder.owner.everything());
  }
  return all;
}

TEST_CASE("what was synced outlives every loss of power") {
  auto left = outcomes([](Folder& folder) {
    folder.owner.write("d/a", "text");
    folder.owner.link("l", "d");
    REQUIRE(folder.tree->sync());
  });
  REQUIRE(left == std::set<Everything>{{{"d/", ""}, {"d/a", "text"}, {"l", "-> d"}}});
}

TEST_CASE("without a sync a file may be missing, empty, torn or whole") {
  auto left = outcomes([](Folder& folder) { folder.owner.write("a", "ab"); });
  REQUIRE(left.contains({}));
  REQUIRE(left.contains({{"a", ""}}));
  REQUIRE(left.contains({{"a", std::string("a\0", 2)}}));
  REQUIRE(left.contains({{"a", "ab"}}));
}

TEST_CASE("changes of names are lost from the last one on, never one before another") {
  auto left = outcomes([](Folder& folder) {
    folder.owner.makeDirectory("one");
    folder.owner.makeDirectory("two");
    folder.owner.makeDirectory("three");
  });
  REQUIRE(left ==
      std::set<Everything>{{}, {{"one/", ""}}, {{"one/", ""}, {"two/", ""}},
          {{"one/", ""}, {"two/", ""}, {"three/", ""}}});
}

TEST_CASE(
    "a file that was staged, synced and placed is the old one or the new one, whole, after a loss of power") {
  auto left = outcomes([](Folder& folder) {
    folder.owner.write("a", "the old one");
    REQUIRE(folder.tree->sync());
    folder.stage("s", "the new one");
    REQUIRE(folder.tree->sync());
    auto stamp = folder.tree->state(path("a")).value().stamp;
    REQUIRE(folder.tree->place("s", path("a"), &stamp, nullptr));
  });
  REQUIRE(left == std::set<Everything>{{{"a", "the old one"}}, {{"a", "the new one"}}});
}

TEST_CASE("a file that was placed without a sync can be torn: a mistake of the caller's is found") {
  auto left = outcomes([](Folder& folder) {
    folder.stage("s", "ab");
    REQUIRE(folder.tree->place("s", path("a"), nullptr, nullptr));
  });
  REQUIRE(left.contains({{"a", std::string("a\0", 2)}}));
}

TEST_CASE("a loss of power says what it took") {
  Folder folder;
  folder.owner.makeDirectory("d");
  for (int i = 0; i < 100; ++i) folder.owner.write("d/a", "text");
  folder.losePower();
  REQUIRE(folder.image.lost > 0);
}

TEST_CASE("what was staged and synced is there after a loss of power, to go on with") {
  Folder folder;
  folder.stage("s", "half");
  REQUIRE(folder.tree->sync());
  folder.losePower();
  kj::byte bytes[8];
  REQUIRE(folder.tree->stage("s").value()->read(0, bytes).value() == 4);
}

TEST_CASE("on a full disk nothing is written or made, and what is there can be removed") {
  Folder folder;
  folder.owner.write("a", "1");
  folder.stage("s", "text");
  folder.image.full = true;
  auto errorOf = [](auto&& result) { return result.error(); };
  REQUIRE(errorOf(folder.tree->stage("t")) == TreeError::FULL);
  auto staged = folder.tree->stage("s").value();
  REQUIRE(errorOf(staged->write(0, bytesOf("x"))) == TreeError::FULL);
  REQUIRE(errorOf(staged->finish(4, {})) == TreeError::FULL);
  REQUIRE(errorOf(folder.tree->makeDirectory(path("d"), 0755)) == TreeError::FULL);
  REQUIRE(errorOf(folder.tree->placeLink("x", path("l"), nullptr, nullptr)) == TreeError::FULL);
  REQUIRE(folder.tree->remove(path("a"), folder.tree->state(path("a")).value().stamp, nullptr));
  REQUIRE(folder.tree->refused == 5);
  REQUIRE(folder.tree->room().value() == 0);
}

TEST_CASE("a folder that is gone says so to everything") {
  Folder folder;
  folder.owner.write("a", "1");
  auto reading = folder.tree->open(path("a")).value();
  folder.tree->gone = true;
  kj::byte byte;
  REQUIRE(reading->read(0, kj::arrayPtr(&byte, 1)).error() == TreeError::GONE);
  REQUIRE(folder.tree->list(FolderPath()).error() == TreeError::GONE);
  REQUIRE(folder.tree->state(path("a")).error() == TreeError::GONE);
  REQUIRE(folder.tree->staged().error() == TreeError::GONE);
  REQUIRE(folder.tree->sync().error() == TreeError::GONE);
  REQUIRE(folder.tree->makeDirectory(path("d"), 0755).error() == TreeError::GONE);
}

TEST_CASE("what may not be read is denied") {
  Folder folder;
  folder.owner.write("a", "1");
  folder.tree->denied.insert("a");
  REQUIRE(folder.tree->open(path("a")).error() == TreeError::DENIED);
  REQUIRE(folder.tree->list(FolderPath()).value().size() == 1);
}

TEST_CASE("a disk that fails to sync makes nothing durable") {
  Folder folder;
  folder.image.failing = true;
  folder.owner.makeDirectory("d");
  REQUIRE(folder.tree->sync().error() == TreeError::FAILED);
  REQUIRE(folder.tree->syncs == 0);
}

TEST_CASE("after changes were lost nothing is watched until somebody asks for it") {
  Folder folder;
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  SimTreeWatcher watcher(folder.image);
  REQUIRE(watcher.watch(FolderPath()));
  folder.owner.write("a", "1");
  watcher.lose();
  REQUIRE(watcher.lost == 1);
  auto changes = watcher.changes().wait(scope);
  REQUIRE(changes.all);
  REQUIRE(changes.touched.empty());
  folder.owner.write("b", "1");
  REQUIRE_FALSE(watcher.changes().poll(scope));
  REQUIRE(watcher.watch(FolderPath()));
  folder.owner.write("c", "1");
  REQUIRE(watcher.changes().wait(scope).touched == std::vector{path("c")});
}

TEST_CASE("a machine has so many watches, and a folder that vanishes says so") {
  Folder folder;
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  folder.owner.makeDirectory("d");
  SimTreeWatcher watcher(folder.image, 1);
  REQUIRE(watcher.watch(FolderPath()));
  REQUIRE(watcher.watch(path("d")).error() == TreeError::FULL);
  watcher.vanish();
  REQUIRE(watcher.changes().wait(scope).gone);
  REQUIRE(watcher.watch(FolderPath()).error() == TreeError::GONE);
}

TEST_CASE("where case does not count two names are one") {
  Folder folder;
  folder.image.caseless = true;
  folder.owner.write("Readme", "1");
  folder.stage("s", "2");
  REQUIRE(folder.tree->place("s", path("README"), nullptr, nullptr).error() == TreeError::CHANGED);
  auto stamp = folder.tree->state(path("readme")).value().stamp;
  REQUIRE(folder.tree->move(path("Readme"), stamp, path("README")));
  REQUIRE(folder.owner.everything() == Everything{{"README", "1"}});
}

}  // namespace
}  // namespace hearth::sim
