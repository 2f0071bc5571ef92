// What storage/folder/tree-watcher.h promises, held to every implementation.
#include "tests/devices/folders/sites.h"

#include <kj/debug.h>

#include <catch2/catch_template_test_macros.hpp>
#include <set>

namespace hearth::storage {
namespace {

using Paths = std::set<std::string>;

// A folder, watched.
template <typename Site>
struct Watched: Site {
  UvLoop loop;
  kj::Own<TreeWatcher> watcher = Site::watcher(loop);
  Paths touched, beingWritten;
  bool all = false, gone = false;

  void watch(std::string_view directory = "") {
    REQUIRE(watcher->watch(directory.empty() ? FolderPath() : path(directory)));
  }
  // Everything that has come since: what the owner did is told before the next look at the loop.
  void gather() {
    touched.clear();
    beingWritten.clear();
    constexpr int LOOKS = 5;  // one for the kernel, some for the loop
    for (int look = 0; look < LOOKS; ++look) {
      auto promise = watcher->changes();
      if (!promise.poll(loop.waitScope)) continue;  // dropped
      auto changes = promise.wait(loop.waitScope);
      for (auto& path: changes.touched) touched.insert(path.str());
      for (auto& path: changes.beingWritten) beingWritten.insert(path.str());
      all |= changes.all;
      gone |= changes.gone;
    }
  }
  Paths told() {
    gather();
    return touched;
  }
};

#define ON_EVERY_WATCH(name) TEMPLATE_TEST_CASE(name, "", InMemory, OnLinux)

ON_EVERY_WATCH("what is made, written, changed, moved and removed in a watched directory is told") {
  Watched<TestType> folder;
  folder.watch();
  folder.owner.write("a", "1");
  REQUIRE(folder.told() == Paths{"a"});
  folder.owner.append("a", "2");
  REQUIRE(folder.told() == Paths{"a"});
  folder.owner.setAttributes("a", {0600, 0, {}});
  REQUIRE(folder.told() == Paths{"a"});
  folder.owner.rename("a", "b");
  REQUIRE(folder.told() == Paths{"a", "b"});
  folder.owner.replace("b", "3");  // by way of another name, perhaps
  REQUIRE(folder.told().contains("b"));
  folder.owner.remove("b");
  REQUIRE(folder.told() == Paths{"b"});
  folder.owner.link("l", "x");
  folder.owner.makeDirectory("d");
  REQUIRE(folder.told() == Paths{"d", "l"});
  REQUIRE_FALSE(folder.all);
  REQUIRE_FALSE(folder.gone);
}

ON_EVERY_WATCH("what is in a directory is told when that is watched, and not before") {
  Watched<TestType> folder;
  folder.owner.write("d/a", "1");
  folder.watch();
  folder.owner.write("d/a", "2");
  REQUIRE(folder.told().empty());
  folder.watch("d");
  folder.owner.write("d/a", "3");
  REQUIRE(folder.told() == Paths{"d/a"});
}

ON_EVERY_WATCH("nothing is told when nothing happens") {
  Watched<TestType> folder;
  folder.watch();
  REQUIRE(folder.told().empty());
  REQUIRE_FALSE(folder.all);
}

ON_EVERY_WATCH("what is being written is told as that, until it is closed") {
  Watched<TestType> folder;
  folder.owner.write("a", "1");
  folder.watch();
  folder.owner.writeOn("a", "2");
  folder.gather();
  REQUIRE(folder.touched.empty());
  REQUIRE(folder.beingWritten == Paths{"a"});
  folder.owner.close("a");
  folder.gather();
  REQUIRE(folder.touched == Paths{"a"});
}

ON_EVERY_WATCH("a directory that was renamed tells under its new name, and so does what is in it") {
  Watched<TestType> folder;
  folder.owner.write("d/e/a", "1");
  folder.owner.makeDirectory("f");
  folder.watch();
  folder.watch("d");
  folder.watch("d/e");
  folder.watch("f");
  folder.owner.rename("d", "f/g");
  REQUIRE(folder.told() == Paths{"d", "f/g"});
  folder.owner.write("f/g/e/a", "2");
  REQUIRE(folder.told() == Paths{"f/g/e/a"});
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.owner.write("d/b", "3");
  REQUIRE(folder.told() == Paths{"d", "d/b"});
}

ON_EVERY_WATCH("directories that change places are told under the right names") {
  Watched<TestType> folder;
  folder.owner.makeDirectory("a");
  folder.owner.makeDirectory("b");
  folder.watch();
  folder.watch("a");
  folder.watch("b");
  folder.owner.rename("a", "c");
  folder.owner.rename("b", "a");
  folder.owner.rename("c", "b");
  folder.gather();
  folder.owner.write("a/was-b", "");
  folder.owner.write("b/was-a", "");
  REQUIRE(folder.told() == Paths{"a/was-b", "b/was-a"});
}

ON_EVERY_WATCH(
    "to watch again what is watched is harmless, and what is removed is watched no longer") {
  Watched<TestType> folder;
  folder.owner.makeDirectory("d");
  folder.watch();
  folder.watch("d");
  folder.watch("d");
  REQUIRE(folder.watcher->watches() == 2);
  folder.owner.remove("d");
  REQUIRE(folder.told() == Paths{"d"});
  REQUIRE(folder.watcher->watches() == 1);
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.owner.write("d/a", "");
  REQUIRE(folder.told() == Paths{"d", "d/a"});
}

ON_EVERY_WATCH("only directories are watched, and no link is followed") {
  Watched<TestType> folder;
  folder.owner.write("d/a", "");
  folder.owner.link("l", "d");
  REQUIRE(folder.watcher->watch(path("x")).error() == TreeError::MISSING);
  REQUIRE(folder.watcher->watch(path("d/a")).error() == TreeError::MISSING);
  REQUIRE(folder.watcher->watch(path("l")).error() == TreeError::LINKED);
  REQUIRE(folder.watcher->watch(path("l/x")).error() == TreeError::LINKED);
}

ON_EVERY_WATCH("what Hearth stages is not told, and what it places is") {
  Watched<TestType> folder;
  folder.watch();
  REQUIRE(folder.tree->stage("s").value()->finish(0, {0644, 0, {}}));
  REQUIRE(folder.tree->sync());
  REQUIRE(folder.told().empty());
  REQUIRE(folder.tree->place("s", path("a"), nullptr, nullptr));
  REQUIRE(folder.told() == Paths{"a"});
}

ON_EVERY_WATCH(
    "who waits already is told what comes while another directory begins to be watched") {
  Watched<TestType> folder;
  folder.owner.makeDirectory("d");
  folder.watch();
  auto changes = folder.watcher->changes();
  REQUIRE_FALSE(changes.poll(folder.loop.waitScope));
  folder.owner.write("a", "");
  folder.watch("d");
  REQUIRE(changes.poll(folder.loop.waitScope));
  REQUIRE(changes.wait(folder.loop.waitScope).touched == std::vector{path("a")});
}

ON_EVERY_WATCH("for a name that has no path the directory is told") {
  Watched<TestType> folder;
  folder.owner.makeDirectory("d");
  folder.watch("d");
  folder.owner.write("d/caf\xe9", "");
  REQUIRE(folder.told() == Paths{"d"});
}

}  // namespace
}  // namespace hearth::storage
