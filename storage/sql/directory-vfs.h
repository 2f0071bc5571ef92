#pragma once
// An SQLite VFS over a kj::Directory, the Disk seam: the real disk and the simulator's alike. There is
// no shared memory, so databases are opened in WAL mode with exclusive locking: one connection, one
// owner (docs/adr/0010).

#include "core/entropy/entropy.h"

#include <kj/filesystem.h>
#include <kj/time.h>

struct sqlite3_vfs;

namespace hearth::storage {

class DirectoryVfs final {
 public:
  // All outlive the VFS, and the VFS every connection on it.
  DirectoryVfs(const kj::Directory& directory, Entropy& entropy, const kj::Clock& clock);
  ~DirectoryVfs() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(DirectoryVfs);

  kj::StringPtr name() const { return vfsName; }

  const kj::Directory& directory;
  Entropy& entropy;
  const kj::Clock& clock;

 private:
  kj::String vfsName;
  kj::Own<sqlite3_vfs> vfs;
};

}  // namespace hearth::storage
