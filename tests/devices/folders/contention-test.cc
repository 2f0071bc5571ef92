// A folder on a real disk while its owner's programs are at work in it, while Hearth is killed, and for a user who may
// not do everything.
#include "tests/devices/folders/sites.h"

#include <kj/thread.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using devices::LinuxFileTree;

constexpr size_t FILE_BYTES = 20'000;

void stage(FileTree& tree, const std::string& name, const std::string& text) {
  auto staged = tree.stage(name).value();
  auto bytes = kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
  KJ_ASSERT(staged->write(0, bytes).has_value());
  KJ_ASSERT(staged->finish(text.size(), {0644, 0, {}}).has_value());
}

std::string readAll(FileTree::Reading& from) {
  std::string all(2 * FILE_BYTES, '\0');
  auto out = kj::arrayPtr(reinterpret_cast<kj::byte*>(all.data()), all.size());
  all.resize(from.read(0, out).value());
  return all;
}

// Whether it is one text and the same byte all over: not half of one and half of another.
bool isWhole(const std::string& text) {
  return text.size() == FILE_BYTES && text == std::string(FILE_BYTES, text[0]);
}

TEST_CASE(
    "what its owner saves while a file is replaced again and again is replaced by nothing that did not see it") {
  OnLinux folder;
  folder.owner.write("a", "owner 0");
  std::atomic<bool> isOver = false;
  std::string last;
  kj::Thread owner([&]() {
    for (int i = 1; !isOver; ++i) {
      last = "owner " + std::to_string(i);
      folder.owner.replace("a", last);
    }
  });
  int placed = 0, refused = 0;
  std::map<std::string, std::string>
      seen;  // what was looked at before it was replaced, by what it is kept as
  auto& tree = *folder.tree;
  for (int i = 0; i < 1'000; ++i) {
    auto reading = tree.open(path("a"));
    if (!reading) continue;
    auto stamp = (*reading)->state().value().stamp;
    auto text = readAll(**reading);
    auto keep = path("a~" + std::to_string(i));
    stage(tree, "s", "hearth " + std::to_string(i));
    auto done = tree.place("s", path("a"), &stamp, &keep);
    if (!done) REQUIRE(done.error() == TreeError::CHANGED);
    (done ? placed : refused)++;
    auto kept = tree.openKept(keep);
    if (done) REQUIRE(kept.has_value());
    if (kept) seen[keep.str()] = text;
  }
  isOver = true;
  // Both came to pass.
  CHECK(placed > 0);
  CHECK(refused > 0);
  // What was kept is what was looked at, and not what its owner saved in between.
  for (auto& [keep, text]: seen) REQUIRE(readAll(*tree.openKept(path(keep)).value()) == text);
}

TEST_CASE("what its owner saved last is there in the end, or was kept") {
  OnLinux folder;
  folder.owner.write("a", "0");
  auto& tree = *folder.tree;
  int stayed = 0, replaced = 0;
  // On a busy machine it takes longer until both have come to pass.
  auto isEnough = [&](int rounds) {
    return rounds > 300 && ((stayed > 0 && replaced > 0) || rounds > 3'000);
  };
  for (int i = 1; !isEnough(i); ++i) {
    auto mine = "owner " + std::to_string(i);
    auto keep = path("a~" + std::to_string(i));
    stage(tree, "s", "hearth " + std::to_string(i));
    {
      kj::Thread owner([&]() { folder.owner.replace("a", mine); });
      usleep(i % 100 * (1 + i / 300));
      auto stamp = tree.state(path("a")).value().stamp;
      (void)tree.place("s", path("a"), &stamp, &keep);
    }
    bool isThere = folder.owner.read("a").orDefault("") == mine;
    (isThere ? stayed : replaced)++;
    if (!isThere) REQUIRE(readAll(*tree.openKept(keep).value()) == mine);
  }
  CHECK(stayed > 0);
  CHECK(replaced > 0);
}

// Replaces a file for ever, by texts that are each the same byte all over.
[[noreturn]] void replaceForEver(const std::string& root) {
  auto tree = LinuxFileTree::open(root, folderId()).value();
  for (int i = 0;; ++i) {
    auto found = tree->state(path("a")).value();
    auto name = "s" + std::to_string(i % 3);
    stage(*tree, name, std::string(FILE_BYTES, static_cast<char>('b' + i % 20)));
    auto keep = path("a~" + std::to_string(getpid()) + "-" + std::to_string(i));
    if (i % 2 == 0) {
      KJ_ASSERT(tree->place(name, path("a"), &found.stamp, &keep).has_value());
    } else {
      KJ_ASSERT(tree->place(name, path("a"), &found.stamp, nullptr).has_value());
    }
  }
}

TEST_CASE(
    "a kill at any moment leaves a file whole, what is kept of it, and a folder to go on with") {
  OnLinux folder;
  folder.owner.write("a", std::string(FILE_BYTES, 'a'));
  std::mt19937 luck(7);
  std::set<std::string> contents;
  constexpr int KILLS = 60;
  for (int i = 0; i < KILLS; ++i) {
    auto child = fork();
    if (child == 0) replaceForEver(folder.owner.root);
    usleep(500 + luck() % 15'000);
    REQUIRE(kill(child, SIGKILL) == 0);
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    auto left = folder.owner.read("a").orDefault("");
    REQUIRE(isWhole(left));
    contents.insert(left.substr(0, 1));
    folder.reopen();
    REQUIRE(folder.tree->list(FolderPath()).value().size() == 1);
    for (auto& kept: folder.tree->kept().value()) {
      REQUIRE(isWhole(readAll(*folder.tree->openKept(kept.path).value())));
      REQUIRE(folder.tree->dropKept(kept.path));
    }
    for (auto& name: folder.tree->staged().value()) REQUIRE(folder.tree->dropStaged(name));
  }
  REQUIRE(contents.size() > 1);  // some of it was done
}

// A folder of somebody who may not do everything, and who we are as long as it is there. Whoever is not root is that
// already.
struct AsNobody {
  static constexpr uid_t NOBODY = 65'534;
  DiskOwner owner;
  kj::Own<FileTree> tree;
  bool isRoot = geteuid() == 0;

  // `before`: what root does there.
  explicit AsNobody(const std::function<void(DiskOwner&)>& before = [](auto&) {}) {
    before(owner);
    if (isRoot) {
      KJ_SYSCALL(chown(owner.root.c_str(), NOBODY, -1));
      KJ_SYSCALL(seteuid(NOBODY));
    }
    auto created = LinuxFileTree::create(owner.root, folderId());
    KJ_ASSERT(created.has_value());
    tree = kj::mv(*created);
  }
  ~AsNobody() {
    if (isRoot && seteuid(0) != 0) abort();
  }
  KJ_DISALLOW_COPY_AND_MOVE(AsNobody);

  void setMode(const std::string& at, mode_t mode) {
    KJ_SYSCALL(chmod((owner.root + "/" + at).c_str(), mode));
  }
};

TEST_CASE("what somebody else keeps to himself is DENIED and not missing") {
  if (geteuid() != 0) SKIP("nobody else here");
  AsNobody folder([](DiskOwner& owner) {
    owner.write("secret/a", "1");
    owner.write("b", "2");
    KJ_SYSCALL(chmod((owner.root + "/secret").c_str(), 0700));
    KJ_SYSCALL(chmod((owner.root + "/b").c_str(), 0600));
  });
  auto& tree = folder.tree;
  REQUIRE(tree->list(FolderPath()).value().size() == 2);
  REQUIRE(tree->list(path("secret")).error() == TreeError::DENIED);
  REQUIRE(tree->state(path("secret/a")).error() == TreeError::DENIED);
  REQUIRE(tree->open(path("b")).error() == TreeError::DENIED);
  auto stamp = tree->state(path("b")).value().stamp;
  REQUIRE(tree->setAttributes(path("b"), stamp, {0644, 0, {}}).error() == TreeError::DENIED);
  REQUIRE(tree->state(path("b")).value().stamp == stamp);
}

TEST_CASE("a file that its own owner may not read is given back to him with its new mode") {
  AsNobody folder;
  auto& tree = folder.tree;
  auto& owner = folder.owner;
  owner.write("a", "1");
  folder.setMode("a", 0);
  REQUIRE(tree->open(path("a")).error() == TreeError::DENIED);
  auto stamp = tree->state(path("a")).value().stamp;
  auto changed = tree->setAttributes(path("a"), stamp, {0640, 5, {{"user.x", "1"}}}).value();
  REQUIRE(changed.mode == 0640);
  REQUIRE(tree->open(path("a")).value()->attributes().value() ==
      FileAttributes{0640, 5, {{"user.x", "1"}}});
}

TEST_CASE("a staged file that may no longer be written is gone on with by its owner") {
  AsNobody folder;
  auto& tree = folder.tree;
  auto& owner = folder.owner;
  REQUIRE(tree->stage("s").value()->finish(0, {0400, 0, {}}));
  stage(*tree, "s", "text");
  REQUIRE(tree->place("s", path("a"), nullptr, nullptr));
  REQUIRE(owner.read("a").orDefault("") == "text");
}

TEST_CASE("in a directory that may not be written nothing is placed or removed, and that is said") {
  AsNobody folder;
  auto& tree = folder.tree;
  auto& owner = folder.owner;
  owner.write("d/a", "1");
  auto stamp = tree->state(path("d/a")).value().stamp;
  stage(*tree, "s", "text");
  folder.setMode("d", 0500);
  auto keep = path("k");
  REQUIRE(tree->place("s", path("d/b"), nullptr, nullptr).error() == TreeError::DENIED);
  REQUIRE(tree->place("s", path("d/a"), &stamp, &keep).error() == TreeError::DENIED);
  REQUIRE(tree->remove(path("d/a"), stamp, nullptr).error() == TreeError::DENIED);
  REQUIRE(tree->makeDirectory(path("d/e"), 0755).error() == TreeError::DENIED);
  REQUIRE(tree->staged().value() == std::vector<std::string>{"s"});
  REQUIRE(tree->kept().value().empty());
  REQUIRE(owner.read("d/a").orDefault("") == "1");
  folder.setMode("d", 0700);
}

}  // namespace
}  // namespace hearth::storage
