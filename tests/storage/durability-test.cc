#include "core/loop/uv-event-port.h"
#include "simulator/disk/sim-disk.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace hearth::storage {
namespace {

using sim::SimDisk;

// What a crash at one moment leaves, and how many writes had been acknowledged by then.
struct Crash {
  SimDisk::Files files;
  int64_t acknowledged;
};

// The story of one database from its making to its end: 40 writes with a checkpoint among them.
// `at` chooses the moments of crashes.
template <typename At>
std::vector<Crash> crashesAlong(At at) {
  SimDisk disk{sim::Chance(1)};
  std::vector<Crash> crashes;
  int64_t acknowledged = 0;
  at(disk, crashes, acknowledged);
  Home home(disk.directory());
  UvLoop uv;
  InlineExecutor executor;
  Store store(executor, home.open(NOTES));
  for (int i = 0; i < 40; ++i) {
    store.write([i](Database& db) { addNote(db, i); }).wait(uv.waitScope);
    ++acknowledged;
    disk.beforeSync();  // acknowledged, and nothing since
    if (i == 20) store.checkpoint().wait(uv.waitScope);
  }
  disk.beforeWrite = []() {};
  disk.beforeSync = []() {};
  return crashes;
}

int64_t notesAfter(const Crash& crash) {
  Home home(directoryWith(crash.files));
  return countNotes(*home.open(NOTES));
}

TEST_CASE("a power cut at any sync loses nothing that was acknowledged") {
  auto crashes = crashesAlong([](SimDisk& disk, auto& crashes, int64_t& acknowledged) {
    disk.beforeSync = [&]() { crashes.push_back({disk.afterPowerCut(), acknowledged}); };
  });
  REQUIRE(crashes.size() > 40);
  for (auto& crash: crashes) {
    auto found = notesAfter(crash);
    REQUIRE(found >= crash.acknowledged);
    REQUIRE(found <= crash.acknowledged + 1);  // the one under way
  }
}

TEST_CASE("a kill at any write loses nothing that was acknowledged") {
  auto crashes = crashesAlong([](SimDisk& disk, auto& crashes, int64_t& acknowledged) {
    disk.beforeWrite = [&]() { crashes.push_back({disk.contents(), acknowledged}); };
  });
  REQUIRE(crashes.size() > 100);
  for (auto& crash: crashes) {
    auto found = notesAfter(crash);
    REQUIRE(found >= crash.acknowledged);
    REQUIRE(found <= crash.acknowledged + 1);
  }
}

// A sync that failed leaves its commit in the log all the same. The process that finds it there after
// a kill believes in it, so a power cut must not take it away any more.
TEST_CASE("a commit whose sync failed and that a kill left is on the disk when it is believed in") {
  SimDisk disk{sim::Chance(1)};
  Home home(disk.directory());
  auto db = home.open(NOTES);
  addNote(*db, 0);
  disk.failing = true;
  REQUIRE_THROWS(addNote(*db, 1));

  SimDisk found{sim::Chance(1)};
  auto folder = found.directory();
  for (auto& [name, bytes]: disk.contents()) {
    auto file = folder->openFile(kj::Path(kj::str(name.c_str())), kj::WriteMode::CREATE);
    file->write(0, kj::StringPtr(bytes.c_str(), bytes.size()).asBytes());
    if (name == HEARTH_DB.cStr()) file->datasync();
  }
  folder->sync();
  Home next(found.directory());
  auto reopened = next.open(NOTES);
  auto believed = countNotes(*reopened);
  REQUIRE(believed == 2);
  REQUIRE(notesAfter({found.afterPowerCut(), 0}) == believed);
}

TEST_CASE(
    "a commit is durable although whoever made its log was killed before it synced the name") {
  SimDisk disk{sim::Chance(1)};
  Home home(disk.directory());
  auto db = home.open(NOTES);
  addNote(*db, 0);

  SimDisk found{sim::Chance(1)};
  auto folder = found.directory();
  for (auto& [name, bytes]: disk.contents()) {
    auto file = folder->openFile(kj::Path(kj::str(name.c_str())), kj::WriteMode::CREATE);
    file->write(0, kj::StringPtr(bytes.c_str(), bytes.size()).asBytes());
    file->datasync();
    if (name == HEARTH_DB.cStr()) folder->sync();  // it comes before its log
  }
  REQUIRE(found.afterPowerCut().size() == 1);
  Home next(found.directory());
  auto reopened = next.open(NOTES);
  addNote(*reopened, 1);
  REQUIRE(notesAfter({found.afterPowerCut(), 0}) == 2);
}

// A directory on the real disk, until the end of the test.
struct DiskFolder {
  char path[32] = "/tmp/hearth-durability-XXXXXX";
  kj::Own<kj::Filesystem> filesystem = kj::newDiskFilesystem();
  kj::Own<const kj::Directory> directory;

  DiskFolder() {
    KJ_REQUIRE(mkdtemp(path) != nullptr);
    directory = filesystem->getRoot().openSubdir(inRoot(), kj::WriteMode::MODIFY);
  }
  ~DiskFolder() noexcept(false) { filesystem->getRoot().tryRemove(inRoot()); }
  kj::Path inRoot() const { return kj::Path(nullptr).evalNative(path); }
  int64_t notes() const { return countNotes(*Home(directory->clone()).open(NOTES)); }
};

// Writes for ever and tells of each write that it was acknowledged, until it is killed.
[[noreturn]] void writeUntilKilled(const kj::Directory& directory, int report) {
  Home home(directory.clone());
  UvLoop uv;
  ThreadExecutor executor;
  Store store(executor, home.open(NOTES));
  for (;;) {
    store.write([](Database& db) { addNote(db, countNotes(db)); }).wait(uv.waitScope);
    if (write(report, "w", 1) != 1) _exit(1);
  }
}

// Lets a process write until it has had so many writes acknowledged, then kills it in the middle of
// the next. Returns how many it had in the end.
int64_t acknowledgedUntilKilled(const DiskFolder& folder, int64_t enough) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  auto child = fork();
  if (child == 0) writeUntilKilled(*folder.directory, ends[1]);
  close(ends[1]);
  char byte;
  int64_t acknowledged = 0;
  while (acknowledged < enough && read(ends[0], &byte, 1) == 1) ++acknowledged;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(ends[0], &byte, 1) == 1) ++acknowledged;
  close(ends[0]);
  REQUIRE(acknowledged >= enough);
  return acknowledged;
}

TEST_CASE("kill -9 of a process that makes its database and writes loses nothing acknowledged") {
  auto enough = GENERATE(range(0, 12));
  DiskFolder folder;
  auto acknowledged = acknowledgedUntilKilled(folder, enough);
  REQUIRE(folder.notes() >= acknowledged);
}

TEST_CASE("kill -9 again and again loses nothing that was ever acknowledged") {
  DiskFolder folder;
  int64_t acknowledged = 0;
  for (int round = 0; round < 24; ++round) {
    acknowledged += acknowledgedUntilKilled(folder, round * 2);
    if (round % 3 == 0) continue;  // nobody looks: the next process finds what the kill left
    auto found = folder.notes();
    REQUIRE(found >= acknowledged);
    acknowledged = found;
  }
}

}  // namespace
}  // namespace hearth::storage
