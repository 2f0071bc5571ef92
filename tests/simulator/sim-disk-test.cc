#include "devices/node/private-file.h"
#include "simulator/disk/sim-disk.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace hearth::sim {
namespace {

constexpr auto CREATE = kj::WriteMode::CREATE;
constexpr auto MODIFY = kj::WriteMode::MODIFY;
constexpr size_t PAGE = SimDisk::PAGE_BYTES;

kj::Path path(kj::StringPtr text) { return kj::Path::parse(text); }

std::string pages(size_t count, char fill) { return std::string(count * PAGE, fill); }

// A disk with a file "a" on it, of which nothing can be lost.
struct Disk {
  SimDisk disk;
  kj::Own<const kj::Directory> directory = disk.directory();
  kj::Own<const kj::File> file;

  explicit Disk(std::string content = "", uint64_t seed = 1): disk(Chance(seed)) {
    file = directory->openFile(path("a"), CREATE);
    write(content);
    file->sync();
    directory->sync();
  }
  void write(const std::string& bytes, uint64_t offset = 0) {
    file->write(offset, kj::StringPtr(bytes.c_str(), bytes.size()).asBytes());
  }
  std::string found(const char* name = "a") const { return disk.contents().at(name); }
};

// What losses of power leave of one story, over many seeds.
template <typename Story>
std::set<std::string> outcomes(const std::string& content, Story story) {
  std::set<std::string> found;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Disk disk(content, seed);
    story(disk);
    disk.disk.losePower();
    auto left = disk.disk.contents();
    found.insert(left.contains("a") ? left["a"] : "gone");
  }
  return found;
}

TEST_CASE("what is written is read, by every view of the disk") {
  Disk disk;
  disk.write("hello", 3);
  REQUIRE(disk.found() == std::string("\0\0\0hello", 8));
  REQUIRE(
      disk.disk.directory()->openFile(path("a"))->readAllText() == kj::StringPtr("\0\0\0hello", 8));
  REQUIRE(disk.file->stat().size == 8);
}

TEST_CASE("a kill leaves everything that was written") {
  Disk disk("old");
  disk.write("new");
  disk.directory->openFile(path("b"), CREATE)->writeAll("b"_kj);
  REQUIRE(disk.disk.contents() == SimDisk::Files{{"a", "new"}, {"b", "b"}});
}

TEST_CASE("power that is lost without luck takes everything that was not synced") {
  Disk disk("old");
  disk.write("newer");
  REQUIRE(disk.disk.afterPowerCut() == SimDisk::Files{{"a", "old"}});
  REQUIRE(disk.found() == "newer");
  disk.disk.losePowerCleanly();
  REQUIRE(disk.found() == "old");
}

TEST_CASE("what was synced survives every loss of power") {
  auto found = outcomes(pages(2, 'o'), [](Disk& disk) {
    disk.write(pages(3, 'n'));
    disk.file->sync();
  });
  REQUIRE(found == std::set<std::string>{pages(3, 'n')});
}

TEST_CASE("a page that was not synced is old, new or torn between sectors") {
  auto found = outcomes(pages(1, 'o'), [](Disk& disk) { disk.write(pages(1, 'n')); });
  REQUIRE(found.contains(pages(1, 'o')));
  REQUIRE(found.contains(pages(1, 'n')));
  auto tears = PAGE / SimDisk::SECTOR_BYTES - 1;
  REQUIRE(found.size() == 2 + tears);
  REQUIRE(found.contains(std::string(512, 'n') + std::string(PAGE - 512, 'o')));
}

TEST_CASE("pages of one write have luck of their own") {
  auto found = outcomes(pages(2, 'o'), [](Disk& disk) { disk.write(pages(2, 'n')); });
  REQUIRE(found.contains(pages(1, 'o') + pages(1, 'n')));
  REQUIRE(found.contains(pages(1, 'n') + pages(1, 'o')));
}

TEST_CASE("bytes of a page that were synced before are not lost with newer ones") {
  auto found = outcomes("", [](Disk& disk) {
    disk.write("first");
    disk.file->sync();
    disk.write("second", 5);
  });
  REQUIRE(
      found == std::set<std::string>{"first", "firstsecond", std::string("first\0\0\0\0\0\0", 11)});
}

TEST_CASE("a file that has grown has its old or its new size") {
  auto found = outcomes(pages(1, 'o'), [](Disk& disk) { disk.write(pages(1, 'n'), PAGE); });
  REQUIRE(found.contains(pages(1, 'o')));
  REQUIRE(found.contains(pages(1, 'o') + pages(1, 'n')));
  REQUIRE(found.contains(pages(1, 'o') + pages(1, '\0')));
}

TEST_CASE("a file that was made larger without a write has its old or its new size") {
  auto found = outcomes("", [](Disk& disk) { disk.file->truncate(2 * PAGE); });
  REQUIRE(found == std::set<std::string>{"", pages(2, '\0')});
}

TEST_CASE("a file that was cut is whole or cut") {
  auto found = outcomes(pages(3, 'o'), [](Disk& disk) { disk.file->truncate(PAGE); });
  REQUIRE(found == std::set<std::string>{pages(3, 'o'), pages(1, 'o')});
}

TEST_CASE("what is written behind a cut is not there without it") {
  auto found = outcomes(pages(2, 'o'), [](Disk& disk) {
    disk.file->truncate(0);
    disk.write("new");
  });
  REQUIRE(found == std::set<std::string>{pages(2, 'o'), "", "new", std::string("\0\0\0", 3)});
}

TEST_CASE("a cut of a file that was written before the cut undoes both or neither cleanly") {
  Disk disk(pages(2, 'o'));
  disk.write(pages(2, 'n'));
  disk.file->truncate(10);
  disk.write("x", 20);
  disk.disk.losePowerCleanly();
  REQUIRE(disk.found() == pages(2, 'o'));
}

TEST_CASE("a name without a sync of its directory is there or not") {
  auto found = outcomes("", [](Disk& disk) {
    auto file = disk.directory->openFile(path("b"), CREATE);
    file->writeAll("b"_kj);
    file->sync();
    disk.write(disk.disk.afterPowerCut().contains("b") ? "safe" : "");
    disk.file->sync();
  });
  REQUIRE(found == std::set<std::string>{""});
  std::set<bool> there;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Disk disk("", seed);
    disk.directory->openFile(path("b"), CREATE);
    disk.disk.losePower();
    there.insert(disk.disk.contents().contains("b"));
  }
  REQUIRE(there == std::set<bool>{false, true});
}

TEST_CASE("a removal without a sync of its directory has happened or not") {
  auto found = outcomes("kept", [](Disk& disk) { disk.directory->tryRemove(path("a")); });
  REQUIRE(found == std::set<std::string>{"kept", "gone"});
  auto synced = outcomes("kept", [](Disk& disk) {
    disk.directory->tryRemove(path("a"));
    disk.directory->sync();
  });
  REQUIRE(synced == std::set<std::string>{"gone"});
}

TEST_CASE("a file in place of another is the old or the new one, whole if it was synced") {
  auto replaced = [](bool sync) {
    return outcomes("old", [sync](Disk& disk) {
      auto replacer = disk.directory->replaceFile(path("a"), CREATE | MODIFY);
      replacer->get().writeAll("new"_kj);
      if (sync) replacer->get().sync();
      replacer->commit();
    });
  };
  REQUIRE(replaced(true) == std::set<std::string>{"old", "new"});
  REQUIRE(replaced(false) == std::set<std::string>{"old", "new", "", std::string("\0\0\0", 3)});
}

TEST_CASE("a replacement that is not committed leaves the old file") {
  Disk disk("old");
  disk.directory->replaceFile(path("a"), CREATE | MODIFY)->get().writeAll("new"_kj);
  REQUIRE(disk.found() == "old");
}

TEST_CASE("files are made, or must be there, as they are asked for") {
  Disk disk("a");
  REQUIRE(disk.directory->tryOpenFile(path("a"), CREATE) == nullptr);
  REQUIRE(disk.directory->tryOpenFile(path("b"), MODIFY) == nullptr);
  REQUIRE_FALSE(disk.directory->replaceFile(path("a"), CREATE)->tryCommit());
  REQUIRE_FALSE(disk.directory->replaceFile(path("b"), MODIFY)->tryCommit());
  REQUIRE(disk.disk.contents().size() == 1);
}

TEST_CASE("a folder is synced by itself") {
  Disk disk;
  disk.directory->openFile(path("keys/k"), CREATE | kj::WriteMode::CREATE_PARENT);
  disk.directory->sync();
  REQUIRE_FALSE(disk.disk.afterPowerCut().contains("keys/k"));
  auto keys = disk.directory->openSubdir(path("keys"), MODIFY);
  keys->sync();
  REQUIRE(disk.disk.afterPowerCut().contains("keys/k"));
  REQUIRE(keys->listNames().size() == 1);
  REQUIRE(keys->listNames()[0] == "k");
  REQUIRE(disk.directory->tryOpenSubdir(path("none"), MODIFY) == nullptr);
}

TEST_CASE("a full disk takes no writes, and what was there stays") {
  Disk disk("old");
  disk.disk.full = true;
  REQUIRE_THROWS(disk.write("new"));
  REQUIRE(disk.disk.refused == 1);
  disk.disk.full = false;
  REQUIRE(disk.found() == "old");
}

TEST_CASE("a sync that fails makes nothing durable") {
  Disk disk("old");
  disk.write("new");
  disk.disk.failing = true;
  REQUIRE_THROWS(disk.file->sync());
  REQUIRE_THROWS(disk.directory->sync());
  REQUIRE(disk.disk.refused == 2);
  REQUIRE(disk.disk.afterPowerCut().at("a") == "old");
}

TEST_CASE("rot flips bits of what is there") {
  Disk disk(pages(1, '\0'));
  disk.disk.rot("a", 1);
  disk.disk.rot("none", 1);
  auto rotted = disk.found();
  int bits = 0;
  for (auto byte: rotted) bits += __builtin_popcount(static_cast<unsigned char>(byte));
  REQUIRE(bits == 1);
  REQUIRE(disk.disk.rotted == 1);
  REQUIRE(disk.disk.afterPowerCut().at("a") == rotted);
}

TEST_CASE("what a killed process's end does to the disk is undone, down to what is durable") {
  Disk disk("durable");
  disk.write("written");
  auto syncs = disk.disk.syncs;
  disk.disk.full = disk.disk.failing = true;
  disk.disk.undoing([&]() {
    disk.write("its end");
    disk.file->sync();
    disk.directory->tryRemove(path("a"));
    disk.directory->sync();
  });
  REQUIRE(disk.found() == "written");
  REQUIRE(disk.disk.afterPowerCut().at("a") == "durable");
  REQUIRE(disk.disk.syncs == syncs);
  REQUIRE(disk.disk.full);
  REQUIRE(disk.disk.failing);
}

TEST_CASE("files that somebody puts there are durable") {
  Disk disk("old");
  auto backup = disk.disk.contents();
  disk.write("new");
  disk.file->sync();
  disk.disk.restore(backup);
  disk.disk.losePower();
  REQUIRE(disk.disk.contents() == backup);
}

TEST_CASE("a private file that was written survives every loss of power") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Disk disk("", seed);
    auto secret = "secret"_kj;
    devices::writePrivate(*disk.directory, path("keys/identity"), secret.asBytes());
    disk.disk.losePower();
    REQUIRE(disk.found("keys/identity") == "secret");
  }
}

// A process whose power goes at one of its next writes or syncs, or after the last.
class Doomed final {
 public:
  Doomed(SimDisk& disk, uint64_t callsLeft): disk(disk), callsLeft(callsLeft) {
    disk.beforeWrite = [this]() { call(); };
    disk.beforeSync = [this]() { call(); };
  }
  ~Doomed() noexcept(false) {
    disk.beforeWrite = []() {};
    disk.beforeSync = []() {};
  }

 private:
  SimDisk& disk;
  uint64_t callsLeft;
  void call() {
    if (callsLeft-- > 0) return;
    callsLeft = 0;  // for good
    kj::throwFatalException(KJ_EXCEPTION(FAILED, "the power is off"));
  }
};

// Whatever the shipping code says of a disk whose power is off.
class Silence final: public kj::ExceptionCallback {
 public:
  void logMessage(kj::LogSeverity, const char*, int, int, kj::String&&) override {}
};

struct Diary {
  int64_t acknowledged = 0, begun = 0;

  void write(SimDisk& disk, Chance& luck) {
    storage::Home home(disk.directory());
    kj::Own<storage::Database> db;
    auto cut = [&]() { disk.undoing([&]() { db = nullptr; }); };
    KJ_DEFER(cut());
    Doomed process(disk, luck.below(120));
    db = home.open(storage::NOTES);
    begun = acknowledged = storage::countNotes(*db);
    for (;;) {
      ++begun;
      storage::addNote(*db, begun, kj::str(std::string(luck.below(9'000), 'x').c_str()));
      acknowledged = begun;
      if (luck.permille(100)) db->checkpoint();
    }
  }
};

// What a cut at a random moment leaves. KJ wants its callback on the real stack.
[[clang::no_sanitize("address")]] bool isKept(SimDisk& disk, Chance& luck, int64_t& kept) {
  Silence silence;
  Diary diary;
  diary.acknowledged = diary.begun = kept;
  kj::runCatchingExceptions([&]() { diary.write(disk, luck); });
  disk.losePower();
  storage::Home home(disk.directory());
  kept = storage::countNotes(*home.open(storage::NOTES));
  return kept == diary.acknowledged || kept == diary.begun;
}

TEST_CASE("a database survives two hundred losses of power with everything acknowledged") {
  Chance luck(1);
  SimDisk disk(Chance(2));
  int64_t kept = 0;
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    REQUIRE(isKept(disk, luck, kept));
  }
  REQUIRE(kept > 200);
  REQUIRE(disk.torn > 100);
}

TEST_CASE("a database that was just being made survives a loss of power") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Chance luck(seed);
    SimDisk disk{Chance(seed)};
    int64_t kept = 0;
    REQUIRE(isKept(disk, luck, kept));
  }
}

}  // namespace
}  // namespace hearth::sim
