#pragma once
// The Disk seam of one device of a world: a directory in memory that remembers what of it would
// outlive a loss of power. Only what was synced is durable: a file's bytes by its own sync, a name by
// its directory's. At a crash every page that was not synced is, by chance, old, new or torn.

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

  explicit SimDisk(Chance chance): chance(chance) {}
  KJ_DISALLOW_COPY_AND_MOVE(SimDisk);

  // The directory; any number of them are one.
  kj::Own<const kj::Directory> directory();

  // Power is lost. Files that are open see what is left, as no process does.
  void losePower();
  // Without luck: nothing that was not synced is left.
  void losePowerCleanly();

  // What is found after a kill of the process: everything that was written.
  std::map<std::string, std::string> contents() const;
  void restore(const std::map<std::string, std::string>& contents);
  // What would be left if power went now and nothing that was not synced had luck.
  std::map<std::string, std::string> durable() const;

  // Faults.
  bool full = false;     // writes fail
  bool failing = false;  // syncs fail
  kj::Duration syncTakes = 0 * kj::SECONDS;
  void rot(const std::string& name, uint64_t bits);  // flips bits of what is durable

  // What happened so far.
  uint64_t syncs = 0;    // of files
  uint64_t torn = 0;     // pages
  uint64_t lost = 0;     // pages that were not synced when power went
  uint64_t rotted = 0;   // bits
  uint64_t refused = 0;  // writes or syncs
  kj::Duration busy() const { return static_cast<int64_t>(syncs) * syncTakes; }

 private:
  class FileView;
  class DirectoryView;
  struct Content {
    std::vector<kj::byte> bytes;
    std::map<uint64_t, std::vector<kj::byte>>
        before;  // pages as of the last sync, if written since
    uint64_t sizeBefore = 0;
    void touch(uint64_t offset, uint64_t size);
    void synced();
    std::string asOfLastSync() const;
  };
  using ContentPtr = std::shared_ptr<Content>;

  Chance chance;
  std::map<std::string, ContentPtr> names;
  std::map<std::string, ContentPtr> durableNames;

  void crash(Content& content, bool cleanly);
  void crashAll(bool cleanly);
};

}  // namespace hearth::sim
