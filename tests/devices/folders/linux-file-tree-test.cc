// What only a folder on a real disk has: its mark, its modes, and what is put in its way.
#include "tests/devices/folders/sites.h"

#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <filesystem>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using devices::LinuxFileTree;
using Everything = std::map<std::string, std::string>;

const FileAttributes PLAIN{0644, 0, {}};

void stage(FileTree& tree, const std::string& name, const std::string& text) {
  auto staged = tree.stage(name).value();
  auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
  REQUIRE(staged->write(0, bytes));
  REQUIRE(staged->finish(text.size(), PLAIN));
}

std::string readAll(FileTree::Reading& from) {
  std::string all(100, '\0');
  auto out = kj::arrayPtr(reinterpret_cast<kj::byte*>(all.data()), all.size());
  all.resize(from.read(0, out).value());
  return all;
}

TreeError errorOfCreate(const std::string& path, kj::byte id, std::string* where = nullptr) {
  auto created = LinuxFileTree::create(path, folderId(id));
  REQUIRE_FALSE(created.has_value());
  if (where != nullptr) *where = created.error().where;
  return created.error().error;
}

TEST_CASE("a folder has a mark, and a directory of its own for nobody else") {
  OnLinux folder;
  auto own = folder.owner.root + "/.hearth";
  struct stat found;
  REQUIRE(stat(own.c_str(), &found) == 0);
  REQUIRE((found.st_mode & 0777) == 0700);
  REQUIRE(
      folder.owner.read(".hearth/folder").orDefault("") == "01010101010101010101010101010101\n");
}

TEST_CASE("a folder that was created is opened by its id, and created again as the same") {
  OnLinux folder;
  folder.owner.write("a", "text");
  stage(*folder.tree, "s", "half");
  REQUIRE(LinuxFileTree::open(folder.owner.root, folderId()).has_value());
  REQUIRE(LinuxFileTree::create(folder.owner.root, folderId()).has_value());
  REQUIRE(folder.tree->staged().value() == std::vector<std::string>{"s"});
  REQUIRE(LinuxFileTree::open(folder.owner.root, folderId(2)).error() == TreeError::GONE);
}

TEST_CASE("a directory without the mark is GONE and not empty, whatever is asked of it") {
  OnLinux folder;
  folder.owner.write("d/a", "text");
  auto stamp = folder.tree->state(path("d/a")).value().stamp;
  stage(*folder.tree, "s", "new");
  REQUIRE(folder.tree->sync());
  fs::rename(folder.owner.root + "/.hearth", folder.owner.root + "/elsewhere");
  auto before = folder.owner.everything();
  auto& tree = *folder.tree;
  REQUIRE(tree.list(FolderPath()).error() == TreeError::GONE);
  REQUIRE(tree.list(path("d")).error() == TreeError::GONE);
  REQUIRE(tree.state(path("d/a")).error() == TreeError::GONE);
  REQUIRE(tree.state(path("x")).error() == TreeError::GONE);
  REQUIRE(tree.open(path("d/a")).error() == TreeError::GONE);
  REQUIRE(tree.stage("t").error() == TreeError::GONE);
  REQUIRE(tree.staged().error() == TreeError::GONE);
  REQUIRE(tree.sync().error() == TreeError::GONE);
  REQUIRE(tree.place("s", path("b"), nullptr, nullptr).error() == TreeError::GONE);
  REQUIRE(tree.remove(path("d/a"), stamp, nullptr).error() == TreeError::GONE);
  REQUIRE(tree.kept().error() == TreeError::GONE);
  REQUIRE(tree.room().error() == TreeError::GONE);
  REQUIRE(folder.owner.everything() == before);
  fs::rename(folder.owner.root + "/elsewhere", folder.owner.root + "/.hearth");
  REQUIRE(tree.place("s", path("b"), nullptr, nullptr).has_value());
}

TEST_CASE("a folder is looked up once for a batch, and once more when it has synced") {
  OnLinux folder;
  folder.owner.write("a", "text");
  auto own = folder.owner.root + "/.hearth", elsewhere = folder.owner.root + "/elsewhere";
  {
    FileTree::Batch batch(*folder.tree);
    REQUIRE(folder.tree->state(path("a")));
    fs::rename(own, elsewhere);
    REQUIRE(folder.tree->state(path("a")));
    stage(*folder.tree, "s", "new");
    REQUIRE(folder.tree->sync().error() == TreeError::GONE);
    REQUIRE(folder.tree->state(path("a")).error() == TreeError::GONE);
    fs::rename(elsewhere, own);
    REQUIRE(folder.tree->place("s", path("b"), nullptr, nullptr));
  }
  fs::rename(own, elsewhere);
  REQUIRE(folder.tree->state(path("a")).error() == TreeError::GONE);
}

TEST_CASE("a folder whose mark is another one's is GONE") {
  OnLinux folder;
  folder.owner.replace(".hearth/folder", "02020202020202020202020202020202\n");
  REQUIRE(folder.tree->list(FolderPath()).error() == TreeError::GONE);
  folder.owner.replace(".hearth/folder", "01010101010101010101010101010101\n");
  REQUIRE(folder.tree->list(FolderPath()).has_value());
  folder.owner.replace(".hearth/folder", "01");
  REQUIRE(folder.tree->list(FolderPath()).error() == TreeError::GONE);
}

TEST_CASE("a folder that was moved away is GONE") {
  OnLinux folder;
  fs::rename(folder.owner.root, folder.owner.root + "-moved");
  REQUIRE(folder.tree->list(FolderPath()).error() == TreeError::GONE);
  REQUIRE(LinuxFileTree::open(folder.owner.root, folderId()).error() == TreeError::GONE);
  fs::rename(folder.owner.root + "-moved", folder.owner.root);
  REQUIRE(folder.tree->list(FolderPath()).has_value());
}

TEST_CASE(
    "a disk that is unmounted makes its folder GONE, and nothing keeps it from being unmounted") {
  DiskOwner mountPoint;
  if (mount("none", mountPoint.root.c_str(), "tmpfs", 0, "size=1m") != 0)
    SKIP("may not mount anything here");
  auto tree = LinuxFileTree::create(mountPoint.root, folderId()).value();
  mountPoint.write("a", "text");
  REQUIRE(tree->list(FolderPath()).value().size() == 1);
  REQUIRE(tree->open(path("a")).has_value());
  stage(*tree, "s", "new");
  REQUIRE(tree->place("s", path("b"), nullptr, nullptr).has_value());
  REQUIRE(tree->sync());
  REQUIRE(umount(mountPoint.root.c_str()) == 0);
  REQUIRE(tree->list(FolderPath()).error() == TreeError::GONE);
  REQUIRE(tree->state(path("a")).error() == TreeError::GONE);
}

TEST_CASE("a full disk says so, and what was there stays") {
  DiskOwner mountPoint;
  if (mount("none", mountPoint.root.c_str(), "tmpfs", 0, "size=64k") != 0)
    SKIP("may not mount anything here");
  KJ_DEFER(umount(mountPoint.root.c_str()));
  auto tree = LinuxFileTree::create(mountPoint.root, folderId()).value();
  mountPoint.write("a", "text");
  auto staged = tree->stage("s").value();
  auto bytes = kj::heapArray<kj::byte>(256 << 10);
  REQUIRE(staged->write(0, bytes).error() == TreeError::FULL);
  REQUIRE(tree->room().value() == 0);
  staged = nullptr;
  REQUIRE(tree->dropStaged("s"));
  REQUIRE(tree->room().value() > 0);
  REQUIRE(mountPoint.read("a").orDefault("") == "text");
}

TEST_CASE("a directory of another disk is no part of the folder") {
  OnLinux folder;
  folder.owner.makeDirectory("d");
  auto mounted = folder.owner.root + "/d";
  if (mount("none", mounted.c_str(), "tmpfs", 0, "size=1m") != 0)
    SKIP("may not mount anything here");
  KJ_DEFER(umount(mounted.c_str()));
  folder.owner.write("d/a", "text");
  for (bool isNew: {true, false}) {
    folder.onDisk().calls.openat2 = isNew;
    REQUIRE(folder.tree->list(FolderPath()).value().at(0).state.kind == FileState::Kind::OTHER);
    REQUIRE(folder.tree->list(path("d")).error() == TreeError::UNSUPPORTED);
    REQUIRE(folder.tree->state(path("d/a")).error() == TreeError::UNSUPPORTED);
  }
}

TEST_CASE("a folder within or around another one is refused, and which one is said") {
  DiskOwner disk;
  disk.makeDirectory("a/b/c");
  disk.makeDirectory("a/d");
  REQUIRE(LinuxFileTree::create(disk.root + "/a/b", folderId()).has_value());
  std::string where;
  REQUIRE(errorOfCreate(disk.root + "/a/b/c", 2, &where) == TreeError::TAKEN);
  REQUIRE(where == disk.root + "/a/b");
  REQUIRE(errorOfCreate(disk.root + "/a", 2, &where) == TreeError::TAKEN);
  REQUIRE(where == disk.root + "/a/b");
  REQUIRE(errorOfCreate(disk.root + "/a/b", 2, &where) == TreeError::TAKEN);
  REQUIRE(where == disk.root + "/a/b");
  REQUIRE(LinuxFileTree::create(disk.root + "/a/d", folderId(2)).has_value());
  REQUIRE(errorOfCreate(disk.root + "/x", 2) == TreeError::MISSING);
  auto why = devices::describe(devices::NotAFolder{TreeError::TAKEN, "/home/ann/Fotos"});
  REQUIRE(why == "/home/ann/Fotos: another folder of Hearth is there, around it or in it");
}

TEST_CASE("a folder is not created through a link that stands where Hearth's own directory goes") {
  DiskOwner disk;
  disk.makeDirectory("elsewhere");
  disk.link("folder/.hearth", "../elsewhere");
  REQUIRE(errorOfCreate(disk.root + "/folder", 1) == TreeError::CHANGED);
  REQUIRE(fs::is_empty(disk.root + "/elsewhere"));
}

TEST_CASE("a path through links is a folder at the place that they lead to") {
  DiskOwner disk;
  disk.makeDirectory("real");
  disk.link("l", "real");
  auto tree = LinuxFileTree::create(disk.root + "/l", folderId()).value();
  REQUIRE(tree->where() == disk.root + "/real");
  disk.remove("l");
  REQUIRE(tree->list(FolderPath()).has_value());
}

TEST_CASE("a staged file that cannot be written any more is gone on with all the same") {
  OnLinux folder;
  REQUIRE(folder.tree->stage("s").value()->finish(0, {0444, 0, {}}));
  REQUIRE(folder.tree->stage("s").has_value());
}

TEST_CASE("what a crash left staged and its owner has under another name is not written into") {
  OnLinux folder;
  folder.owner.write("a", "the owner's");
  fs::create_hard_link(folder.owner.root + "/a", folder.owner.root + "/.hearth/staged/s");
  stage(*folder.tree, "s", "new");
  REQUIRE(folder.owner.read("a").orDefault("") == "the owner's");
  auto stamp = folder.tree->state(path("a")).value().stamp;
  REQUIRE(folder.tree->place("s", path("a"), &stamp, nullptr));
  REQUIRE(folder.owner.read("a").orDefault("") == "new");
}

TEST_CASE(
    "what was in the middle of a step when a crash came is tidied up when the folder is opened") {
  OnLinux folder;
  folder.owner.write(".hearth/aside/1", "removed");
  folder.reopen();
  REQUIRE(fs::is_empty(folder.owner.root + "/.hearth/aside"));
}

TEST_CASE("Hearth's own directories are made anew when somebody tidied them up") {
  OnLinux folder;
  REQUIRE(folder.tree->sync());
  for (auto name: {"staged", "versions", "aside"})
    folder.owner.remove(".hearth/" + std::string(name));
  folder.owner.write("a", "1");
  stage(*folder.tree, "s", "2");
  auto keep = path("d/k");
  auto stamp = folder.tree->state(path("a")).value().stamp;
  REQUIRE(folder.tree->place("s", path("a"), &stamp, &keep));
  REQUIRE(folder.tree->placeLink("x", path("l"), nullptr, nullptr));
  REQUIRE(folder.tree->kept().value().size() == 1);
}

TEST_CASE("a file with several names gets its new content under the one that was placed") {
  OnLinux folder;
  folder.owner.write("a", "old");
  fs::create_hard_link(folder.owner.root + "/a", folder.owner.root + "/b");
  stage(*folder.tree, "s", "new");
  auto stamp = folder.tree->state(path("a")).value().stamp;
  REQUIRE(folder.tree->place("s", path("a"), &stamp, nullptr));
  REQUIRE(folder.owner.everything() == Everything{{"a", "new"}, {"b", "old"}});
}

TEST_CASE("two names of one file are not taken for one name, and nothing moves onto the other") {
  OnLinux folder;
  folder.owner.write("a", "1");
  fs::create_hard_link(folder.owner.root + "/a", folder.owner.root + "/b");
  auto stamp = folder.tree->state(path("a")).value().stamp;
  REQUIRE(folder.tree->move(path("a"), stamp, path("b")).error() == TreeError::CHANGED);
  REQUIRE(folder.owner.everything() == Everything{{"a", "1"}, {"b", "1"}});
}

TEST_CASE("a link that stands in for a directory between two looks leads nowhere") {
  for (bool isNew: {true, false}) {
    OnLinux folder;
    folder.onDisk().calls.openat2 = isNew;
    DiskOwner outside;
    folder.owner.makeDirectory("d");
    stage(*folder.tree, "s", "new");
    folder.between([&]() {
      folder.owner.rename("d", "e");
      folder.owner.link("d", outside.root);
    });
    REQUIRE(folder.tree->place("s", path("d/a"), nullptr, nullptr));  // where it was looked at
    REQUIRE(folder.owner.read("e/a").orDefault("") == "new");
    REQUIRE(outside.everything().empty());
  }
}

TEST_CASE("after many changes and after few, all is made durable") {
  for (int count: {1, 2, 3, 100}) {
    OnLinux folder;
    for (int i = 0; i < count; ++i) stage(*folder.tree, "s" + std::to_string(i), "text");
    REQUIRE(folder.tree->sync());
    for (int i = 0; i < count; ++i) {
      auto name = std::to_string(i);
      REQUIRE(folder.tree->place("s" + name, path(name), nullptr, nullptr));
    }
    REQUIRE(folder.tree->sync());
    REQUIRE(folder.tree->removeDirectory(path("x")).error() == TreeError::MISSING);
    REQUIRE(folder.tree->sync());
  }
}

TEST_CASE("a file that its owner may not write is read, placed and removed as any other") {
  OnLinux folder;
  folder.owner.write("a", "1");
  folder.owner.setAttributes("a", {0400, 0, {}});
  auto stamp = folder.tree->state(path("a")).value().stamp;
  auto changed = folder.tree->setAttributes(path("a"), stamp, {0000, 7, {}}).value();
  REQUIRE(changed.mode == 0);
  changed = folder.tree->setAttributes(path("a"), changed.stamp, PLAIN).value();
  REQUIRE(changed.mode == 0644);
  REQUIRE(readAll(*folder.tree->open(path("a")).value()) == "1");
}

TEST_CASE("a file from a far future is a file, and keeps the last time that there is") {
  OnLinux folder;
  folder.owner.write("a", "");
  struct timespec times[2] = {{0, UTIME_OMIT}, {13'600'000'000, 5}};  // in the year 2400
  if (utimensat(AT_FDCWD, (folder.owner.root + "/a").c_str(), times, 0) != 0)
    SKIP("the disk has no such time");
  auto state = folder.tree->state(path("a")).value();
  auto year2262 = int64_t{9'214'646'400'000'000'000};
  REQUIRE(state.stamp.modifiedNs >= year2262);
  FileAttributes attributes{0644, state.stamp.modifiedNs, {}};
  REQUIRE(folder.tree->setAttributes(path("a"), state.stamp, attributes));
  auto again = folder.tree->state(path("a")).value();
  REQUIRE(again.stamp.modifiedNs >= year2262);
  REQUIRE(folder.tree->setAttributes(path("a"), again.stamp, {0644, INT64_MIN, {}}));
}

TEST_CASE("attributes beyond the limits are left out of what is read") {
  OnLinux folder;
  folder.owner.write("a", "");
  for (int i = 0; i < 70; ++i) {
    auto name = "user." + std::to_string(100 + i);
    if (setxattr((folder.owner.root + "/a").c_str(), name.c_str(), "x", 1, 0) != 0)
      SKIP("the disk has no room for so many attributes");
  }
  auto found = folder.tree->open(path("a")).value()->attributes().value();
  REQUIRE(found.extended.size() == FileAttributes::EXTENDED_MAX);
}

TEST_CASE("extended attributes that are not the user's are neither read nor written") {
  OnLinux folder;
  FileAttributes foreign = PLAIN;
  foreign.extended["trusted.x"] = "1";
  foreign.extended["user.x"] = "1";
  auto finished = folder.tree->stage("s").value()->finish(0, foreign).value();
  REQUIRE(finished.extended == std::map<std::string, std::string>{{"user.x", "1"}});
}

}  // namespace
}  // namespace hearth::storage
