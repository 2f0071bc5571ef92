#pragma once
// The rollback anchor (SECURITY.md §10.4): how far the chain of ops on the disk had come, in a file
// beside the database, so that an older database under a newer anchor is found out at start.
//
//   keys/anchor = u8 1 | u64 counter | list8<var8 table, u64 rows, b[32] row_hash> |
//                 b[16] MAC16(anchor_key, "hearth/anchor-mac/v1", the bytes before it)
//
// Written behind the commit, in one step: the database may be ahead of it, and is never behind. The commit
// itself notes the counter of the anchor before it: so an older anchor that is put back is found out, too.

#include "core/base/ids.h"
#include "crypto/identity/storage-keys.h"
#include "crypto/primitives/bytes.h"

#include <kj/filesystem.h>

namespace hearth::devices {

struct Anchor {
  uint64_t counter = 0;  // of the times that it was written
  uint64_t rows = 0;     // of the table `ops`
  Digest hash;           // of the newest of them

  void write(const kj::Directory& home, const crypto::StorageKey& key) const;

  // None when there is no such file. Errors: INTEGRITY_FAILED.
  static Result<kj::Maybe<Anchor>> read(const kj::Directory& home, const crypto::StorageKey& key);
};

}  // namespace hearth::devices
