// What is seen and read of a folder, on every disk.
#include "tests/devices/folders/every-disk.h"

namespace hearth::storage {
namespace {

using Kind = FileState::Kind;

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

}  // namespace
}  // namespace hearth::storage
