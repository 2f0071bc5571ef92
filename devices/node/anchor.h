#pragma once
// The rollback anchor (SECURITY.md §10.4): how far what is on the disk had come, in a file beside the
// database, so that an older database under a newer anchor is found out at start.
//
//   keys/anchor = u8 1 | u64 counter | list8<var8 table, u64 rows, b[32] row_hash> |
//                 b[16] MAC16(anchor_key, "hearth/anchor-mac/v1", the bytes before it)
//   tables      = "ops": the chain of ops | where there is one, "counter": rows is where the counter outside
//                 the disk stands (rollback-counter.h), row_hash zero | for each collection in which this device has
//                 written, ascending, b[32] its id || b[16] collection: its entries, and the hash of the newest
//
// Written behind the commit, in one step: the database may be ahead of it, and is never behind. The commit
// itself notes the counter of the anchor before it: so an older anchor that is put back is found out, too.

#include "core/base/ids.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/identity/storage-keys.h"
#include "crypto/primitives/bytes.h"

#include <kj/filesystem.h>

#include <map>

namespace hearth::devices {

struct AnchorPoint {
  uint64_t rows = 0;
  Digest hash;  // of the newest of them

  bool operator==(const AnchorPoint&) const = default;
};

struct Anchor {
  static constexpr size_t COLLECTIONS_MAX = 250;  // those in which it wrote last

  // How far a device has come in the operation log. Under other keys it begins anew.
  struct Entries {
    DeviceId author;
    std::map<crypto::CollectionId, AnchorPoint> of;
  };

  uint64_t counter = 0;  // of the times that it was written
  AnchorPoint ops;
  Entries entries;
  kj::Maybe<uint64_t> outside;  // where the counter outside the disk stands, or goes to next

  void write(const kj::Directory& home, const crypto::StorageKey& key) const;

  // None when there is no such file. Errors: INTEGRITY_FAILED.
  static Result<kj::Maybe<Anchor>> read(const kj::Directory& home, const crypto::StorageKey& key);
};

// Whose a counter outside the disk is: a home's, which is known by its keys. Tells nothing of them.
Digest counterTag(const crypto::StorageKey& key);

}  // namespace hearth::devices
