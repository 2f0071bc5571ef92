#pragma once
// An SQLite VFS over a kj::Directory, the Disk seam: the real disk and the simulator's alike. It has
// no shared memory, so databases are opened in WAL mode with exclusive locking: one connection, one
// owner (docs/adr/0010). Files it makes are readable by their owner alone.

#include "core/entropy/entropy.h"

#include <kj/filesystem.h>
#include <kj/mutex.h>
#include <kj/time.h>

#include <memory>
#include <set>
#include <string>

struct sqlite3_vfs;

namespace hearth::storage {

class DirectoryVfs final {
 public:
  static constexpr size_t NAME_BYTES_MAX = 255;

  // All outlive the VFS, and the VFS every database on it. Databases may be used on other threads.
  DirectoryVfs(const kj::Directory& directory, Entropy& entropy, const kj::Clock& clock);
  ~DirectoryVfs() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(DirectoryVfs);

  // What SQLite knows it by; no other VFS of this process has the same name.
  kj::StringPtr name() const { return registeredName; }

 private:
  friend struct VfsCalls;

  const kj::Directory& directory;
  Entropy& entropy;
  const kj::Clock& clock;
  kj::MutexGuarded<std::set<std::string>> locked;  // names of files that a connection holds
  kj::String registeredName;
  std::unique_ptr<sqlite3_vfs> vfs;

  bool lock(const std::string& file);
  void unlock(const std::string& file);
};

}  // namespace hearth::storage
