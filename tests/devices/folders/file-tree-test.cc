// What storage/folder/file-tree.h promises, held to every implementation.
#include "tests/devices/folders/sites.h"

#include <kj/debug.h>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <random>

namespace hearth::storage {
namespace {

using Kind = FileState::Kind;
using Everything = std::map<std::string, std::string>;

kj::ArrayPtr<const kj::byte> bytesOf(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

template <typename Readable>
std::string readAll(Readable& from) {
  std::string all;
  kj::byte buffer[7];  // not of one piece
  while (auto size = from.read(all.size(), buffer).value())
    all.append(reinterpret_cast<char*>(buffer), size);
  return all;
}

const FileAttributes PLAIN{0644, 1'600'000'000'123'456'700, {}};

// One folder, and what a test does with it in short.
template <typename Site>
struct Folder: Site {
  FileTree* operator->() { return this->tree.get(); }

  FileStamp stampOf(std::string_view at) { return this->tree->state(path(at)).value().stamp; }
  void stage(const std::string& name, const std::string& text) {
    auto staged = this->tree->stage(name).value();
    REQUIRE(staged->write(0, bytesOf(text)));
    REQUIRE(staged->finish(text.size(), PLAIN));
  }
  std::string kept(std::string_view at) { return readAll(*this->tree->openKept(path(at)).value()); }
  Everything everything() { return this->owner.everything(); }
};

template <typename T>
TreeError errorOf(const TreeResult<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

#define ON_EVERY_DISK(name) TEMPLATE_TEST_CASE(name, "", InMemory, OnLinux, OnOldLinux)

ON_EVERY_DISK("a directory lists its names with what they are, without Hearth's own") {
  Folder<TestType> folder;
  folder.owner.write("a", "12345");
  folder.owner.makeDirectory("d");
  folder.owner.link("l", "a");
  folder.owner.makeSpecial("pipe");
  std::map<std::string, Kind> found;
  for (auto& listed: folder->list(FolderPath()).value()) found[listed.name] = listed.state.kind;
  REQUIRE(found ==
      std::map<std::string, Kind>{
          {"a", Kind::FILE}, {"d", Kind::DIRECTORY}, {"l", Kind::SYMLINK}, {"pipe", Kind::OTHER}});
  REQUIRE(folder->list(path("d")).value().empty());
  REQUIRE(errorOf(folder->list(path("a"))) == TreeError::MISSING);
  REQUIRE(errorOf(folder->list(path("x"))) == TreeError::MISSING);
  REQUIRE(errorOf(folder->list(path("l"))) == TreeError::LINKED);
}

ON_EVERY_DISK("names are listed as they are, also where they are no UTF-8") {
  Folder<TestType> folder;
  folder.owner.write("caf\xe9", "");
  folder.owner.write("a\nb", "");
  std::set<std::string> names;
  for (auto& listed: folder->list(FolderPath()).value()) names.insert(listed.name);
  REQUIRE(names == std::set<std::string>{"caf\xe9", "a\nb"});
}

ON_EVERY_DISK("what is listed is what is found under the name") {
  Folder<TestType> folder;
  folder.owner.write("d/a", "12345");
  auto listed = folder->list(path("d")).value();
  auto state = folder->state(path("d/a")).value();
  REQUIRE(listed.size() == 1);
  REQUIRE(listed[0].state.stamp == state.stamp);
  REQUIRE(state.kind == Kind::FILE);
  REQUIRE(state.stamp.size == 5);
  REQUIRE(folder->state(FolderPath()).value().kind == Kind::DIRECTORY);
  REQUIRE(errorOf(folder->state(path("b"))) == TreeError::MISSING);
  REQUIRE(errorOf(folder->state(path("d/a/b"))) == TreeError::MISSING);
}

ON_EVERY_DISK("a stamp stays until somebody writes, and then is another") {
  Folder<TestType> folder;
  folder.owner.write("a", "one");
  auto first = folder.stampOf("a");
  REQUIRE(folder.stampOf("a") == first);
  folder.owner.write("a", "two");
  auto second = folder.stampOf("a");
  REQUIRE(second != first);
  folder.owner.append("a", "!");
  auto third = folder.stampOf("a");
  REQUIRE(third != second);
  folder.owner.replace("a", "two!");
  REQUIRE(folder.stampOf("a") != third);
}

ON_EVERY_DISK("a file is read in pieces, to its end") {
  Folder<TestType> folder;
  folder.owner.write("a", "a longer text");
  auto reading = folder->open(path("a")).value();
  REQUIRE(readAll(*reading) == "a longer text");
  kj::byte byte;
  REQUIRE(reading->read(1'000, kj::arrayPtr(&byte, 1)).value() == 0);
}

ON_EVERY_DISK("only files are opened") {
  Folder<TestType> folder;
  folder.owner.makeDirectory("d");
  folder.owner.link("l", "d");
  folder.owner.makeSpecial("pipe");
  REQUIRE(errorOf(folder->open(path("d"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->open(path("l"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->open(path("pipe"))) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->open(path("x"))) == TreeError::MISSING);
  REQUIRE(folder->target(path("l")).value() == "d");
  REQUIRE(errorOf(folder->target(path("d"))) == TreeError::CHANGED);
}

ON_EVERY_DISK("what is read goes on when its owner replaces it, and tells when its owner writes") {
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  auto reading = folder->open(path("a")).value();
  auto before = reading->state().value();
  folder.owner.append("a", "er");
  REQUIRE(reading->state().value().stamp != before.stamp);
  folder.owner.replace("a", "new");
  REQUIRE(readAll(*reading) == "older");
  REQUIRE(reading->state().value().stamp.inode != folder.stampOf("a").inode);
}

ON_EVERY_DISK("no link is followed, wherever it is on the way") {
  Folder<TestType> folder;
  folder.owner.write("real/a", "text");
  folder.owner.link("d/l", "../real");
  folder.stage("s", "new");
  auto before = folder.everything();
  auto stamp = folder.stampOf("real/a");
  REQUIRE(errorOf(folder->state(path("d/l/a"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->list(path("d/l"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->open(path("d/l/a"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->place("s", path("d/l/b"), nullptr, nullptr)) == TreeError::LINKED);
  REQUIRE(errorOf(folder->place("s", path("d/l/a"), &stamp, nullptr)) == TreeError::LINKED);
  REQUIRE(errorOf(folder->placeLink("x", path("d/l/b"), nullptr, nullptr)) == TreeError::LINKED);
  REQUIRE(errorOf(folder->makeDirectory(path("d/l/b"), 0755)) == TreeError::LINKED);
  REQUIRE(errorOf(folder->move(path("d/l/a"), stamp, path("b"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->move(path("real/a"), stamp, path("d/l/b"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->remove(path("d/l/a"), stamp, nullptr)) == TreeError::LINKED);
  REQUIRE(errorOf(folder->removeDirectory(path("d/l/b"))) == TreeError::LINKED);
  REQUIRE(errorOf(folder->setAttributes(path("d/l/a"), stamp, PLAIN)) == TreeError::LINKED);
  REQUIRE(folder.everything() == before);
}

ON_EVERY_DISK("what is staged is not seen by the owner, and outlives a restart") {
  Folder<TestType> folder;
  folder.stage("one", "text");
  folder.stage("two", "");
  REQUIRE(folder.everything().empty());
  REQUIRE(folder->list(FolderPath()).value().empty());
  folder.reopen();
  auto names = folder->staged().value();
  REQUIRE(std::set(names.begin(), names.end()) == std::set<std::string>{"one", "two"});
  REQUIRE(readAll(*folder->stage("one").value()) == "text");
  REQUIRE(folder->dropStaged("one"));
  REQUIRE(folder->staged().value() == std::vector<std::string>{"two"});
  REQUIRE(errorOf(folder->dropStaged("one")) == TreeError::MISSING);
}

ON_EVERY_DISK("a staged file is written in any order, copied to, cut to its length and read back") {
  Folder<TestType> folder;
  folder.owner.write("a", "0123456789");
  auto reading = folder->open(path("a")).value();
  auto staged = folder->stage("s").value();
  REQUIRE(staged->write(4, bytesOf("efgh")));
  REQUIRE(staged->write(0, bytesOf("abc")));
  REQUIRE(staged->copy(*reading, 5, 4, 6));
  REQUIRE(readAll(*staged) == std::string("abc\0ef5678", 10));
  REQUIRE(staged->finish(9, PLAIN));
  REQUIRE(readAll(*staged) == std::string("abc\0ef567", 9));
  REQUIRE(errorOf(staged->copy(*reading, 8, 4, 0)) == TreeError::CHANGED);  // only two are there
}

ON_EVERY_DISK(
    "what is written piece by piece is there once it is flushed, whoever opens the file then") {
  constexpr size_t PIECE = 19'001, COUNT = 200, HOLE = 77;
  Folder<TestType> folder;
  std::string text(PIECE * COUNT, '\0');
  std::minstd_rand luck(1);
  for (auto& byte: text) byte = static_cast<char>(luck() >> 8);
  auto staged = folder->stage("s").value();
  auto write = [&](size_t piece) {
    auto at = piece * PIECE;
    REQUIRE(staged->write(at, bytesOf(text.substr(at, PIECE))));
  };
  for (size_t i = 0; i < COUNT; ++i) {
    if (i != HOLE) write(i);
  }
  std::string last(PIECE, '\0');
  auto room = kj::arrayPtr(reinterpret_cast<kj::byte*>(last.data()), PIECE);
  REQUIRE(staged->read((COUNT - 1) * PIECE, room).value() == PIECE);
  REQUIRE(last == text.substr((COUNT - 1) * PIECE));
  write(HOLE);
  write(HOLE + 1);
  REQUIRE(staged->flush());
  std::string found(text.size() + 1, '\0');
  auto all = kj::arrayPtr(reinterpret_cast<kj::byte*>(found.data()), found.size());
  REQUIRE(folder->stage("s").value()->read(0, all).value() == text.size());
  REQUIRE(found.starts_with(text));
}

ON_EVERY_DISK("what was written and not flushed is there when the file is finished") {
  Folder<TestType> folder;
  auto staged = folder->stage("s").value();
  REQUIRE(staged->write(0, bytesOf("one, ")));
  REQUIRE(staged->write(5, bytesOf("two")));
  REQUIRE(staged->finish(8, PLAIN));
  REQUIRE(folder->place("s", path("a"), nullptr, nullptr));
  REQUIRE(folder.everything() == Everything{{"a", "one, two"}});
}

ON_EVERY_DISK("a file has the mode, time and extended attributes that it was finished with") {
  Folder<TestType> folder;
  FileAttributes attributes{0750, 1'234'567'890'987'654'300, {{"user.a", "1"}, {"user.b", ""}}};
  auto staged = folder->stage("s").value();
  auto finished = staged->finish(0, attributes).value();
  auto state = folder->place("s", path("a"), nullptr, nullptr).value();
  REQUIRE(state.mode == 0750);
  REQUIRE(state.stamp.modifiedNs == attributes.modifiedNs);
  auto found = folder->open(path("a")).value()->attributes().value();
  REQUIRE(found == finished);
  REQUIRE(found == attributes);
}

ON_EVERY_DISK("a file is placed where nothing was") {
  Folder<TestType> folder;
  folder.owner.makeDirectory("d");
  folder.stage("s", "text");
  auto state = folder->place("s", path("d/a"), nullptr, nullptr).value();
  REQUIRE(state.kind == Kind::FILE);
  REQUIRE(state.stamp == folder.stampOf("d/a"));
  REQUIRE(folder.everything() == Everything{{"d/", ""}, {"d/a", "text"}});
  REQUIRE(folder->staged().value().empty());
  REQUIRE(errorOf(folder->place("s", path("b"), nullptr, nullptr)) == TreeError::MISSING);
}

ON_EVERY_DISK("a file is not placed where something is, nor in a directory that is not there") {
  Folder<TestType> folder;
  folder.owner.write("a", "the owner's");
  folder.owner.makeDirectory("d");
  folder.stage("s", "text");
  auto before = folder.everything();
  REQUIRE(errorOf(folder->place("s", path("a"), nullptr, nullptr)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->place("s", path("d"), nullptr, nullptr)) == TreeError::CHANGED);
  REQUIRE(errorOf(folder->place("s", path("x/a"), nullptr, nullptr)) == TreeError::MISSING);
  REQUIRE(errorOf(folder->place("s", path("a/b"), nullptr, nullptr)) == TreeError::MISSING);
  REQUIRE(folder.everything() == before);
  REQUIRE(folder->staged().value() == std::vector<std::string>{"s"});
}

ON_EVERY_DISK("what a file replaces is kept") {
  Folder<TestType> folder;
  folder.owner.write("d/a", "old");
  folder.stage("s", "new");
  auto stamp = folder.stampOf("d/a");
  auto keep = path("d/a~1");
  auto state = folder->place("s", path("d/a"), &stamp, &keep).value();
  REQUIRE(state.stamp == folder.stampOf("d/a"));
  REQUIRE(folder.everything() == Everything{{"d/", ""}, {"d/a", "new"}});
  REQUIRE(folder.kept("d/a~1") == "old");
  REQUIRE(folder->staged().value().empty());
}

ON_EVERY_DISK("what a file replaces is gone where it is not to be kept") {
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  folder.stage("s", "new");
  auto stamp = folder.stampOf("a");
  REQUIRE(folder->place("s", path("a"), &stamp, nullptr));
  REQUIRE(folder.everything() == Everything{{"a", "new"}});
  REQUIRE(folder->kept().value().empty());
  REQUIRE(folder->staged().value().empty());
}

ON_EVERY_DISK("a file that was written since it was looked at is not replaced") {
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  folder.stage("s", "new");
  auto stamp = folder.stampOf("a");
  auto keep = path("a~1");
  folder.owner.append("a", "er");
  REQUIRE(errorOf(folder->place("s", path("a"), &stamp, &keep)) == TreeError::CHANGED);
  REQUIRE(folder.everything() == Everything{{"a", "older"}});
  folder.owner.remove("a");
  REQUIRE(errorOf(folder->place("s", path("a"), &stamp, &keep)) == TreeError::CHANGED);
  folder.owner.makeDirectory("a");
  REQUIRE(errorOf(folder->place("s", path("a"), &stamp, &keep)) == TreeError::CHANGED);
  REQUIRE(folder.everything() == Everything{{"a/", ""}});
  REQUIRE(folder->kept().value().empty());
  REQUIRE(folder->staged().value() == std::vector<std::string>{"s"});
}

ON_EVERY_DISK("what the owner does at the last moment is not lost to a file that is placed") {
  auto keeping = GENERATE(false, true);
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  folder.stage("s", "new");
  auto stamp = folder.stampOf("a");
  auto keep = path("a~1");
  bool came = false;
  SECTION("written") {
    folder.between([&]() { came = true, folder.owner.append("a", "er"); });
    REQUIRE(errorOf(folder->place("s", path("a"), &stamp, keeping ? &keep : nullptr)) ==
        TreeError::CHANGED);
    REQUIRE(folder.everything() == Everything{{"a", "older"}});
  }
  SECTION("saved anew") {
    folder.between([&]() { came = true, folder.owner.replace("a", "mine"); });
    REQUIRE(errorOf(folder->place("s", path("a"), &stamp, keeping ? &keep : nullptr)) ==
        TreeError::CHANGED);
    REQUIRE(folder.everything() == Everything{{"a", "mine"}});
  }
  SECTION("removed") {
    folder.between([&]() { came = true, folder.owner.remove("a"); });
    REQUIRE(errorOf(folder->place("s", path("a"), &stamp, keeping ? &keep : nullptr)) ==
        TreeError::CHANGED);
    REQUIRE(folder.everything().empty());
  }
  SECTION("another one is made") {
    folder.owner.remove("a");
    folder.between([&]() { came = true, folder.owner.write("a", "mine"); });
    REQUIRE(errorOf(folder->place("s", path("a"), nullptr, nullptr)) == TreeError::CHANGED);
    REQUIRE(folder.everything() == Everything{{"a", "mine"}});
  }
  REQUIRE(came);
  REQUIRE(folder->staged().value() == std::vector<std::string>{"s"});
  REQUIRE(readAll(*folder->stage("s").value()) == "new");
  REQUIRE(folder->kept().value().empty());
}

ON_EVERY_DISK("nothing is kept under a name that is taken, and then nothing changes") {
  Folder<TestType> folder;
  auto keep = path("k");
  for (auto text: {"first", "second"}) {
    folder.owner.write("a", text);
    auto stamp = folder.stampOf("a");
    auto removed = folder->remove(path("a"), stamp, &keep);
    REQUIRE(removed.has_value() == (std::string(text) == "first"));
  }
  folder.stage("s", "new");
  auto stamp = folder.stampOf("a");
  REQUIRE(errorOf(folder->place("s", path("a"), &stamp, &keep)) == TreeError::CHANGED);
  REQUIRE(folder.everything() == Everything{{"a", "second"}});
  REQUIRE(folder.kept("k") == "first");
  REQUIRE(folder->staged().value() == std::vector<std::string>{"s"});
}

ON_EVERY_DISK("a symbolic link is placed, wherever it leads to") {
  Folder<TestType> folder;
  folder.owner.write("a", "old");
  auto stamp = folder.stampOf("a");
  auto keep = path("a~1");
  auto made = folder->placeLink("/no/where", path("l"), nullptr, nullptr).value();
  REQUIRE(made.kind == Kind::SYMLINK);
  REQUIRE(made.stamp == folder.stampOf("l"));
  REQUIRE(errorOf(folder->placeLink("x", path("l"), nullptr, nullptr)) == TreeError::CHANGED);
  REQUIRE(folder->placeLink("../up", path("a"), &stamp, &keep));
  REQUIRE(folder->placeLink("again", path("l"), &made.stamp, nullptr));
  REQUIRE(folder.everything() == Everything{{"a", "-> ../up"}, {"l", "-> again"}});
  REQUIRE(folder.kept("a~1") == "old");
  REQUIRE(folder->staged().value().empty());
}

ON_EVERY_DISK("a link has a target that a link can have, or it is not placed") {
  Folder<TestType> folder;
  for (auto& target: {std::string(), std::string("a\0b", 3), std::string(4'096, 'x')})
    REQUIRE(
        errorOf(folder->placeLink(target, path("l"), nullptr, nullptr)) == TreeError::UNSUPPORTED);
  REQUIRE(folder.everything().empty());
  std::string longest(FileTree::TARGET_BYTES_MAX, 'x');
  REQUIRE(folder->placeLink("caf\xe9", path("l"), nullptr, nullptr));
  REQUIRE(folder->target(path("l")).value() == "caf\xe9");
  // Some file systems have a smaller place for it.
  auto placed = folder->placeLink(longest, path("m"), nullptr, nullptr);
  if (placed) REQUIRE(folder->target(path("m")).value() == longest);
}

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
