#pragma once
// Keys of what a device keeps on its disk, all from one platform root (sealed by a TPM, held by a
// keystore, or stretched from a passphrase).
//
//   platform_root -> dsk, the device storage key -> db_key per database, seed_wrap, anchor_key

#include "core/base/ids.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

using PlatformRoot = Key<struct PlatformRootTag, 32>;
using StorageKey = Key<struct StorageKeyTag, 32>;  // dsk
using DatabaseKey = Key<struct DatabaseKeyTag, 32>;
using SeedWrapKey = Key<struct SeedWrapKeyTag, 32>;  // XChaChaPoly over the root seed
using AnchorKey = Key<struct AnchorKeyTag, 32>;      // MACs rollback anchors

StorageKey storageKey(const PlatformRoot& root, const DeviceId& device);
DatabaseKey databaseKey(const StorageKey& key, kj::StringPtr database);
SeedWrapKey seedWrapKey(const StorageKey& key);
AnchorKey anchorKey(const StorageKey& key);

}  // namespace hearth::crypto
