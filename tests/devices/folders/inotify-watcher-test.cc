// What only a kernel's way of telling has: limits, losses, and directories that come and go.
#include "tests/devices/folders/sites.h"

#include <kj/thread.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using devices::InotifyWatcher;

// Thousands of directories are made here: in memory where that is to be had.
std::string somewhere() { return fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp"; }

struct Watched {
  DiskOwner owner{somewhere()};
  UvLoop loop;
  InotifyWatcher watcher{loop.port, owner.root};
  TreeWatcher::Changes last;

  void watch(std::string_view directory = "") {
    REQUIRE(watcher.watch(directory.empty() ? FolderPath() : path(directory)));
  }
  // Everything that has come.
  std::set<std::string> told() {
    std::set<std::string> all;
    constexpr int LOOKS = 5;
    for (int look = 0; look < LOOKS; ++look) {
      auto promise = watcher.changes();
      if (!promise.poll(loop.waitScope)) continue;
      last = promise.wait(loop.waitScope);
      for (auto& path: last.touched) all.insert(path.str());
      if (last.all || last.gone) break;
    }
    return all;
  }
};

uint64_t numberIn(const char* file) {
  uint64_t number = 0;
  std::ifstream(file) >> number;
  return number;
}

// Renames a file of that folder more often than the kernel's queue has places: two events each, none like the one
// before.
void runOver(const std::string& root) {
  auto limit = numberIn("/proc/sys/fs/inotify/max_queued_events");
  REQUIRE(limit > 0);
  auto from = root + "/a", to = root + "/b";
  for (uint64_t i = 0; i <= limit / 2; ++i) {
    REQUIRE(rename(from.c_str(), to.c_str()) == 0);
    std::swap(from, to);
  }
}

TEST_CASE("a change wakes the loop by itself") {
  Watched folder;
  folder.watch();
  auto changes = folder.watcher.changes();
  REQUIRE_FALSE(changes.poll(folder.loop.waitScope));
  folder.owner.write("a", "");
  REQUIRE(changes.wait(folder.loop.waitScope).touched.at(0) == path("a"));
}

TEST_CASE("when the kernel's queue runs over everything is to be looked at, and watched anew") {
  Watched folder;
  folder.watch();
  folder.owner.write("a", "");
  runOver(folder.owner.root);
  folder.told();
  REQUIRE(folder.last.all);
  REQUIRE(folder.watcher.watches() == 0);
  folder.watch();
  folder.owner.write("c", "");
  REQUIRE(folder.told() == std::set<std::string>{"c"});
  REQUIRE_FALSE(folder.last.all);
}

TEST_CASE(
    "who waits already is told when the queue has run over before another directory is watched") {
  Watched folder;
  folder.owner.makeDirectory("d");
  folder.watch();
  folder.owner.write("a", "");
  folder.told();
  auto changes = folder.watcher.changes();
  REQUIRE_FALSE(changes.poll(folder.loop.waitScope));
  runOver(folder.owner.root);
  folder.watch("d");
  REQUIRE(changes.poll(folder.loop.waitScope));
  REQUIRE(changes.wait(folder.loop.waitScope).all);
}

TEST_CASE("a folder that is removed or moved away is gone") {
  Watched folder;
  folder.watch();
  SECTION("removed") { fs::remove_all(folder.owner.root); }
  SECTION("moved") { fs::rename(folder.owner.root, folder.owner.root + "-moved"); }
  folder.told();
  REQUIRE(folder.last.gone);
  REQUIRE(folder.watcher.watch(FolderPath()).error() == TreeError::GONE);
  fs::remove_all(folder.owner.root + "-moved");
}

TEST_CASE("a disk is unmounted in spite of the watches on it, and its folder is gone then") {
  Watched folder;
  if (mount("none", folder.owner.root.c_str(), "tmpfs", 0, "size=1m") != 0)
    SKIP("may not mount anything here");
  folder.owner.makeDirectory("d");
  folder.watch();
  folder.watch("d");
  REQUIRE(umount(folder.owner.root.c_str()) == 0);
  folder.told();
  REQUIRE(folder.last.gone);
}

TEST_CASE("a directory that is moved out of the folder is watched no longer, with what is in it") {
  Watched folder;
  DiskOwner elsewhere(somewhere());
  folder.owner.makeDirectory("d/e");
  for (auto directory: {"", "d", "d/e"}) folder.watch(directory);
  fs::rename(folder.owner.root + "/d", elsewhere.root + "/d");
  REQUIRE(folder.told() == std::set<std::string>{"d"});
  REQUIRE(folder.watcher.watches() == 1);
  elsewhere.write("d/e/a", "");
  REQUIRE(folder.told().empty());
  fs::rename(elsewhere.root + "/d", folder.owner.root + "/f");
  REQUIRE(folder.told() == std::set<std::string>{"f"});
  folder.watch("f/e");
  folder.owner.write("f/e/a", "");
  REQUIRE(folder.told() == std::set<std::string>{"f/e/a"});
}

TEST_CASE("a directory is watched with those that it is in, whose renaming is followed") {
  Watched folder;
  folder.owner.makeDirectory("d/e");
  folder.watch("d/e");
  REQUIRE(folder.watcher.watches() == 3);
  folder.owner.rename("d", "f");
  folder.owner.write("f/e/a", "");
  REQUIRE(folder.told() == std::set<std::string>{"d", "f", "f/e/a"});
}

TEST_CASE("a directory that is removed while a program has it open makes room for a new one") {
  Watched folder;
  folder.owner.makeDirectory("d");
  folder.watch("d");
  auto held = open((folder.owner.root + "/d").c_str(), O_RDONLY | O_DIRECTORY);
  KJ_DEFER(close(held));
  folder.owner.remove("d");
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.told();
  folder.owner.write("d/a", "");
  REQUIRE(folder.told() == std::set<std::string>{"d/a"});
}

TEST_CASE("a directory that takes the name of a renamed one right away is not taken for it") {
  Watched folder;
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.owner.rename("d", "x");
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.owner.write("x/old", "");
  folder.owner.write("d/new", "");
  REQUIRE(folder.told() == std::set<std::string>{"d", "d/new", "x", "x/old"});
}

TEST_CASE(
    "however directories are renamed while they begin to be watched, no change is told under a wrong name") {
  Watched folder;
  folder.watch();
  auto& root = folder.owner.root;
  std::atomic<bool> isOver = false;
  std::atomic<size_t> looks = 0;
  kj::Thread renaming([&]() {
    for (int i = 0; i < 2'000 || (looks < 200 && i < 200'000); ++i) {
      auto spare = root + "/x" + std::to_string(i % 7);
      fs::create_directory(root + "/d");
      if (rename((root + "/d").c_str(), spare.c_str()) != 0) fs::remove_all(spare);
    }
    isOver = true;
  });
  bool lost = false;
  auto lookAt = [&](std::string_view name) {
    ++looks;
    return folder.watcher.watch(name.empty() ? FolderPath() : path(name)).has_value();
  };
  while (!isOver) {
    for (auto& name: folder.told()) lookAt(name);
    lookAt("d");
    if (!std::exchange(folder.last.all, false)) continue;
    lost = true;
    lookAt("");
  }
  INFO("lost: " << lost);
  REQUIRE(looks > 100);
  folder.told();
  for (auto& entry: fs::directory_iterator(root)) {
    auto name = entry.path().filename().string();
    if (name == ".hearth" || !lookAt(name)) continue;
    folder.told();
    folder.owner.write(name + "/here", "");
    auto told = folder.told();
    REQUIRE((told == std::set<std::string>{name + "/here"} || folder.last.all));
  }
}

TEST_CASE("writes that nobody asked about meanwhile are told once") {
  Watched folder;
  folder.owner.write("a", "");
  folder.watch();
  for (int i = 0; i < 1000; ++i) folder.owner.append("a", "x");
  auto changes = folder.watcher.changes().wait(folder.loop.waitScope);
  REQUIRE(changes.touched.size() == 1);
  REQUIRE(changes.beingWritten.empty());
}

TEST_CASE("with ten thousand directories under many names a watch is still found by its path") {
  Watched folder;
  std::vector<std::string> all;
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 100; ++k) all.push_back(std::to_string(i) + "/" + std::to_string(k));
  }
  for (auto& directory: all) folder.owner.makeDirectory(directory);
  for (auto& directory: all) {
    if (folder.watcher.watch(path(directory))) continue;
    SKIP("the machine has too few watches for this");
  }
  REQUIRE(folder.watcher.watches() == 10'101);
  folder.owner.rename("57", "x");
  folder.told();
  folder.owner.write("x/42/a", "");
  REQUIRE(folder.told() == std::set<std::string>{"x/42/a"});
}

// In a namespace of its own, where the limit is ours. Ends the process that it is called in.
[[noreturn]] void watchTooMuch(const std::string& root) {
  constexpr int NOT_HERE = 4, WRONG = 1, RIGHT = 0;
  if (unshare(CLONE_NEWUSER) != 0) _exit(NOT_HERE);
  auto limit = open("/proc/sys/user/max_inotify_watches", O_WRONLY);
  if (limit < 0 || write(limit, "3", 1) != 1) _exit(NOT_HERE);
  UvLoop loop;
  InotifyWatcher watcher(loop.port, root);
  for (auto name: {"a", "b", "c", "d"}) {
    auto watched = watcher.watch(path(name));
    if (!watched)
      _exit(watched.error() == TreeError::FULL && watcher.watches() == 3 ? RIGHT : WRONG);
  }
  _exit(WRONG);
}

TEST_CASE("when the machine's watches are used up that is said, and those that are there go on") {
  DiskOwner owner;
  for (auto name: {"a", "b", "c", "d"}) owner.makeDirectory(name);
  auto child = fork();
  if (child == 0) watchTooMuch(owner.root);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 4) SKIP("no namespace of its own for a user here");
  REQUIRE(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace hearth::storage
