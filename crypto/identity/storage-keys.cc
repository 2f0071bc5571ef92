#include "crypto/identity/storage-keys.h"

#include "crypto/primitives/hash.h"

namespace hearth::crypto {

StorageKey storageKey(const PlatformRoot& root, const DeviceId& device) {
  return derive<StorageKey>(root.reveal(), "hearth/dsk/v1", {device.asBytes()});
}

DatabaseKey databaseKey(const StorageKey& key, kj::StringPtr database) {
  return derive<DatabaseKey>(key.reveal(), "hearth/db/v1", {database.asBytes()});
}

SeedWrapKey seedWrapKey(const StorageKey& key) {
  return derive<SeedWrapKey>(key.reveal(), "hearth/seed-wrap/v1");
}

AnchorKey anchorKey(const StorageKey& key) {
  return derive<AnchorKey>(key.reveal(), "hearth/anchor/v1");
}

}  // namespace hearth::crypto
