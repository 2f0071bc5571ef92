// What moves, goes, or gets other attributes in a folder, on every disk.
#include "tests/devices/folders/every-disk.h"

namespace hearth::storage {
namespace {

using Kind = FileState::Kind;

ON_EVERY_DISK("a directory is made where nothing is") {
  Folder<TestType> folder;
  auto made = folder->makeDirectory(path("d"), 0750).value();
  REQUIRE(made.kind == Kind::DIRECTORY);
  REQUIRE(made.mode == 0750);
  REQUIRE(made.stamp.inode == folder.stampOf("d").inode);
  REQUIRE(errorOf(folder->makeDirectory(path("d"), 0755)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->makeDirectory(path("x/d"), 0755)) == TreeError::MISSING);
  REQUIRE(folder->makeDirectory(path("d/e"), 0755));
  REQUIRE(folder.everything() == Everything{{"d/", ""}, {"d/e/", ""}});
}

ON_EVERY_DISK("files, links and whole directories move to where nothing is") {
  Folder<TestType> folder;
  folder.owner.write("d/a", "1");
  folder.owner.link("l", "d");
  folder.owner.makeDirectory("e");
  auto moved = folder->move(path("d/a"), folder.stampOf("d/a"), path("e/b")).value();
  REQUIRE(moved.stamp == folder.stampOf("e/b"));
  REQUIRE(folder->move(path("l"), folder.stampOf("l"), path("e/m")));
  auto stamp = folder.stampOf("e");
  folder.owner.write("e/new", "2");  // what is in a directory does not count
  REQUIRE(folder->move(path("e"), stamp, path("d/f")));
  REQUIRE(folder.everything() ==
      Everything{{"d/", ""}, {"d/f/", ""}, {"d/f/b", "1"}, {"d/f/m", "-> d"}, {"d/f/new", "2"}});
}

ON_EVERY_DISK("nothing moves onto something, into itself, or when it is not what was expected") {
  Folder<TestType> folder;
  folder.owner.write("a", "1");
  folder.owner.write("b", "2");
  folder.owner.makeDirectory("d");
  auto stamp = folder.stampOf("a");
  auto before = folder.everything();
  REQUIRE(errorOf(folder->move(path("a"), stamp, path("b"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->move(path("a"), stamp, path("d"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->move(path("a"), stamp, path("x/a"))) == TreeError::MISSING);
  REQUIRE(errorOf(folder->move(path("b"), stamp, path("c"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->move(path("c"), stamp, path("e"))) == TreeError::CHANGED);
  REQUIRE(
      errorOf(folder->move(path("d"), folder.stampOf("d"), path("d/e"))) == TreeError::UNSUPPORTED);
  REQUIRE(folder.everything() == before);
}

ON_EVERY_DISK("what the owner does at the last moment is not moved, nor removed") {
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  auto stamp = folder.stampOf("a");
  auto keep = path("k");
  bool came = false;
  folder.between([&]() { came = true, folder.owner.replace("a", "mine"); });
  SECTION("moved") {
    REQUIRE(errorOf(folder->move(path("a"), stamp, path("b"))) == TreeError::CHANGED);
  }
  SECTION("removed") {
    REQUIRE(errorOf(folder->remove(path("a"), stamp, nullptr)) == TreeError::CHANGED);
  }
  SECTION("removed and kept") {
    REQUIRE(errorOf(folder->remove(path("a"), stamp, &keep)) == TreeError::CHANGED);
  }
  SECTION("replaced by a link") {
    REQUIRE(errorOf(folder->placeLink("x", path("a"), &stamp, nullptr)) == TreeError::CHANGED);
  }
  REQUIRE(came);
  REQUIRE(folder.everything() == Everything{{"a", "mine"}});
  REQUIRE(folder->kept().value().empty());
  REQUIRE(folder->staged().value().empty());
}

ON_EVERY_DISK("files and links are removed, and kept where that is wanted") {
  Folder<TestType> folder;
  folder.owner.write("a", "1");
  folder.owner.write("b", "2");
  folder.owner.link("l", "b");
  auto keep = path("x/y/b~1");
  REQUIRE(folder->remove(path("a"), folder.stampOf("a"), nullptr));
  REQUIRE(folder->remove(path("b"), folder.stampOf("b"), &keep));
  REQUIRE(folder->remove(path("l"), folder.stampOf("l"), nullptr));
  REQUIRE(folder.everything().empty());
  auto kept = folder->kept().value();
  REQUIRE(kept.size() == 1);
  REQUIRE(kept[0].path == keep);
  REQUIRE(kept[0].state.stamp.size == 1);
  REQUIRE(folder.kept("x/y/b~1") == "2");
}

ON_EVERY_DISK("nothing is removed but what was expected, and no directory as a file") {
  Folder<TestType> folder;
  folder.owner.write("a", "1");
  folder.owner.makeDirectory("d");
  auto stamp = folder.stampOf("a");
  folder.owner.append("a", "2");
  auto before = folder.everything();
  REQUIRE(errorOf(folder->remove(path("a"), stamp, nullptr)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->remove(path("d"), folder.stampOf("d"), nullptr)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->remove(path("x"), stamp, nullptr)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->remove(path("x/y"), stamp, nullptr)) == TreeError::MISSING);
  REQUIRE(folder.everything() == before);
}

ON_EVERY_DISK("a directory is removed when it is empty") {
  Folder<TestType> folder;
  folder.owner.write("d/a", "1");
  folder.owner.makeDirectory("e");
  REQUIRE(errorOf(folder->removeDirectory(path("d"))) == TreeError::NOT_EMPTY);
  REQUIRE(errorOf(folder->removeDirectory(path("d/a"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->removeDirectory(path("x"))) == TreeError::MISSING);
  REQUIRE(folder->removeDirectory(path("e")));
  REQUIRE(folder.everything() == Everything{{"d/", ""}, {"d/a", "1"}});
}

ON_EVERY_DISK("attributes are set on what was expected, all of them") {
  Folder<TestType> folder;
  folder.owner.write("a", "1");
  folder.owner.makeDirectory("d");
  folder.owner.link("l", "a");
  FileAttributes first{0600, 1'111'111'111'111'111'100, {{"user.a", "1"}, {"user.b", "2"}}};
  FileAttributes second{0640, -1'500'000'000, {{"user.b", "3"}}};  // before 1970, too
  auto before = folder.stampOf("a");
  auto state = folder->setAttributes(path("a"), before, first).value();
  REQUIRE(state.stamp == folder.stampOf("a"));
  REQUIRE(errorOf(folder->setAttributes(path("a"), before, second)) == TreeError::CHANGED);
  REQUIRE(folder->open(path("a")).value()->attributes().value() == first);
  REQUIRE(folder->setAttributes(path("a"), state.stamp, second));
  REQUIRE(folder->open(path("a")).value()->attributes().value() == second);
  REQUIRE(
      folder->setAttributes(path("d"), folder.stampOf("d"), {0700, 5, {}}).value().mode == 0700);
  auto link = folder->setAttributes(path("l"), folder.stampOf("l"), first).value();
  REQUIRE(link.stamp.modifiedNs == first.modifiedNs);
  REQUIRE(folder->open(path("a")).value()->attributes().value() == second);  // not through the link
}

ON_EVERY_DISK("what is neither file nor directory nor link has no attributes to set") {
  Folder<TestType> folder;
  folder.owner.makeSpecial("pipe");
  auto stamp = folder.stampOf("pipe");
  REQUIRE(errorOf(folder->setAttributes(path("pipe"), stamp, PLAIN)) == TreeError::UNSUPPORTED);
  REQUIRE(folder.stampOf("pipe") == stamp);
}

ON_EVERY_DISK("what is kept is dropped with the directories that only it was in") {
  Folder<TestType> folder;
  for (auto name: {"one", "two"}) {
    folder.owner.write("d/e/f", name);
    auto keep = path("d/e/" + std::string(name));
    REQUIRE(folder->remove(path("d/e/f"), folder.stampOf("d/e/f"), &keep));
  }
  auto late = path("z");
  folder.owner.write("z", "");
  REQUIRE(folder->remove(path("z"), folder.stampOf("z"), &late));
  auto kept = folder->kept().value();
  REQUIRE(kept.size() == 3);
  REQUIRE(kept[0].path == path("d/e/one"));
  REQUIRE(kept[2].path == path("z"));
  REQUIRE(folder->dropKept(path("d/e/one")));
  REQUIRE(folder.kept("d/e/two") == "two");
  REQUIRE(folder->dropKept(path("d/e/two")));
  REQUIRE(errorOf(folder->dropKept(path("d/e/two"))) == TreeError::MISSING);
  REQUIRE(errorOf(folder->openKept(path("d"))) == TreeError::MISSING);  // a name for a file again
  REQUIRE(folder->dropKept(path("z")));
  REQUIRE(folder->kept().value().empty());
}

ON_EVERY_DISK("a disk has room, and makes durable what it is asked to") {
  Folder<TestType> folder;
  folder.stage("s", "text");
  REQUIRE(folder->sync());
  REQUIRE(folder->place("s", path("a"), nullptr, nullptr));
  REQUIRE(folder->sync());
  REQUIRE(folder->sync());
  REQUIRE(folder->room().value() > 0);
}

}  // namespace
}  // namespace hearth::storage
