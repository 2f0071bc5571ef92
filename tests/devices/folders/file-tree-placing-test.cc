// What is staged and placed in a folder, on every disk.
#include "tests/devices/folders/every-disk.h"

#include <catch2/generators/catch_generators.hpp>
#include <random>

namespace hearth::storage {
namespace {

using Kind = FileState::Kind;

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

}  // namespace
}  // namespace hearth::storage
