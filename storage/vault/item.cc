#include "storage/vault/item.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"
#include "storage/blob/padding.h"

namespace hearth::storage {

uint64_t VaultItem::bytesMax() { return sealedBytes(padded(BLOB_BYTES_MAX)); }

Digest vaultBucket(const std::vector<VaultItem>& items) {
  if (items.empty()) return {};
  FlatWriter all;
  for (auto& item: items) all.bytes(item.name.asBytes()).u64(item.bytes).bytes(item.hash.asBytes());
  return crypto::hash("hearth/vault-bucket/v1", {all.asBytes()});
}

Digest vaultRoot(uint64_t items, const VaultBuckets& buckets) {
  FlatWriter all;
  all.u64(items);
  for (auto& bucket: buckets) all.bytes(bucket.asBytes());
  return crypto::hash("hearth/vault-root/v1", {all.asBytes()});
}

}  // namespace hearth::storage
