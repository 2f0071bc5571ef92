#pragma once
// The Disk seam of one device of a world: a directory in memory that remembers what of it would
// outlive a loss of power. Only what was synced is durable: a file's bytes by its own sync, a name by
// its directory's. At a crash every page and name that was not synced is, by chance, old or new; a
// page may also be torn.

#include "simulator/world/chance.h"

#include <kj/filesystem.h>
#include <kj/function.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hearth::sim {

class SimDisk final {
 public:
  static constexpr size_t PAGE_BYTES = 4'096;
  static constexpr size_t SECTOR_BYTES = 512;  // what a disk writes whole

  using Files = std::map<std::string, std::string>;  // bytes by name

  explicit SimDisk(Chance chance): chance(chance) {}
  KJ_DISALLOW_COPY_AND_MOVE(SimDisk);

  // The directory; any number of them are one.
  kj::Own<const kj::Directory> directory();

  // Power is lost. Files that are open are of no more use, as their process is.
  void losePower();
  // Without luck: nothing that was not synced is left.
  void losePowerCleanly();
  // What that would leave now.
  Files afterPowerCut() const;

  // Everything that was written: what a kill of the process leaves.
  Files contents() const;
  // Somebody puts these files there, durably, instead of all that is there.
  void restore(const Files& files);

  // Calls `body`, and undoes what it does here: a process that is killed has destructors in a world,
  // and none in the real one.
  void undoing(kj::FunctionParam<void()> body);

  // Faults.
  bool full = false;     // writes fail
  bool failing = false;  // syncs fail
  kj::Duration syncTakes = 0 * kj::SECONDS;
  void rot(const std::string& name, uint64_t bits);  // flips bits of what is there

  // Called before each write or change of size, and before each sync.
  kj::Function<void()> beforeWrite = []() {};
  kj::Function<void()> beforeSync = []() {};

  // What happened so far.
  uint64_t syncs = 0;    // of files
  uint64_t torn = 0;     // pages
  uint64_t lost = 0;     // pages that were not synced when power went
  uint64_t rotted = 0;   // bits
  uint64_t refused = 0;  // writes or syncs

 private:
  class FileView;
  class DirectoryView;
  class Replacing;
  struct Content {
    std::vector<kj::byte> bytes;
    bool dirty = false;  // something was not synced: then as of the last sync
    uint64_t sizeBefore = 0;
    std::map<uint64_t, std::vector<kj::byte>> before;  // pages that have changed
    // The file as of the last sync, if it was cut since: a file system's journal makes a cut happen or
    // not, and nothing that was written behind it can be there without it.
    kj::Maybe<std::vector<kj::byte>> beforeCut;

    void touch(uint64_t begin, uint64_t end);
    void cut(uint64_t size);
    void synced();
    void undo();
    void putBack(uint64_t page, const std::vector<kj::byte>& old, size_t from);
  };
  using ContentPtr = std::shared_ptr<Content>;
  using Names = std::map<std::string, ContentPtr>;
  struct Copy {
    Names names, durableNames;
  };

  Chance chance;
  Names names;
  Names durableNames;

  bool mayOpen(const std::string& name, kj::WriteMode mode) const;
  void refuseIfFull();
  void refuseIfFailing();
  void crash(Content& content);
  Copy copy() const;
  static Files bytesOf(const Names& names);
};

}  // namespace hearth::sim
