#include "crypto/identity/circle-keys.h"

namespace hearth::crypto {

Digest epochCommit(const CircleId& circle, uint64_t n, const EpochSecret& secret) {
  return hash("hearth/epoch-commit/v1", {circle.asBytes(), Little(n).asBytes(), secret.reveal()});
}

LinkPsk linkPsk(
    const EpochSecret& secret, const EpochName& epoch, const DeviceId& a, const DeviceId& b) {
  auto &low = a < b ? a : b, &high = a < b ? b : a;
  return derive<LinkPsk>(secret.reveal(), "hearth/link-psk/v1",
      {epoch.circle.asBytes(), epoch.id.asBytes(), low.asBytes(), high.asBytes()});
}

VaultPsk vaultPsk(const EpochSecret& secret, const CircleId& circle, const Digest& commit,
    const DeviceId& vault) {
  return derive<VaultPsk>(secret.reveal(), "hearth/vault-psk/v1",
      {circle.asBytes(), commit.asBytes(), vault.asBytes()});
}

LinkPsk vaultLinkPsk(const VaultPsk& psk, const DeviceId& vault, const DeviceId& other) {
  return derive<LinkPsk>(
      psk.reveal(), "hearth/link-psk-vault/v1", {vault.asBytes(), other.asBytes()});
}

LogKey logKey(const EpochSecret& secret, const EpochName& epoch) {
  return derive<LogKey>(
      secret.reveal(), "hearth/log-key/v1", {epoch.circle.asBytes(), epoch.id.asBytes()});
}

CollectionKey collectionKey(
    const EpochSecret& secret, const EpochName& epoch, const CollectionId& collection) {
  return derive<CollectionKey>(secret.reveal(), "hearth/collection-kek/v1",
      {epoch.circle.asBytes(), epoch.id.asBytes(), collection.asBytes()});
}

BlobNameKey blobNameKey(
    const EpochSecret& secret, const EpochName& epoch, const CollectionId& collection) {
  return derive<BlobNameKey>(secret.reveal(), "hearth/blob-name/v1",
      {epoch.circle.asBytes(), epoch.id.asBytes(), collection.asBytes()});
}

BackKey backKey(const EpochSecret& secret, const EpochName& previous) {
  return derive<BackKey>(
      secret.reveal(), "hearth/epoch-back/v1", {previous.circle.asBytes(), previous.id.asBytes()});
}

}  // namespace hearth::crypto
