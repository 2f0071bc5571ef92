#pragma once
// What a VAULT holds of a collection: sealed files under names that say nothing, and the Merkle root over them by which
// any change shows (SECURITY.md §10.5, docs/adr/0100). Each writer has a shelf of its own there.
//
//   bucket  H("hearth/vault-bucket/v1", (b[32] name | u64 bytes | b[32] hash) ...)   names with the same first byte, ascending
//   root    H("hearth/vault-root/v1", u64 items | bucket of 0 | bucket of 1 ... | bucket of 255)   zeros for an empty one

#include "storage/blob/sealed-file.h"

#include <array>

namespace hearth::storage {

struct VaultItem {
  BlobName name;
  uint64_t bytes = 0;  // of the sealed file
  Digest hash;         // BLAKE3 of them

  static uint64_t bytesMax();  // of the largest blob

  bool operator==(const VaultItem&) const = default;
};

constexpr size_t VAULT_BUCKETS = 256;
using VaultBuckets = std::array<Digest, VAULT_BUCKETS>;

inline size_t vaultBucketOf(const BlobName& name) { return name.bytes[0]; }
// Requires that they are in order of their names. Zero for none.
Digest vaultBucket(const std::vector<VaultItem>& items);
Digest vaultRoot(uint64_t items, const VaultBuckets& buckets);

}  // namespace hearth::storage
