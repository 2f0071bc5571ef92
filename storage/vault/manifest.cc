#include "storage/vault/manifest.h"

#include "core/base/flat.h"
#include "crypto/primitives/hash.h"

namespace hearth::storage {

namespace {

constexpr uint8_t VERSION = 1;
constexpr size_t PUT_BYTES = ContentId::SIZE + BlobName::SIZE + 8 + Digest::SIZE;

}  // namespace

crypto::CollectionId vaultsCollection() {
  auto hash = crypto::hash("hearth/collection/v1", {kj::StringPtr("vaults").asBytes()});
  return crypto::CollectionId::from(hash.asBytes().slice(0, crypto::CollectionId::SIZE)).value();
}

crypto::Buffer ShelfChange::encode() const {
  FlatWriter out;
  out.u8(VERSION).bytes(vault.asBytes()).bytes(collection.asBytes()).u64(items);
  out.bytes(root.asBytes()).u16(static_cast<uint16_t>(put.size()));
  for (auto& [content, item]: put)
    out.bytes(content.asBytes())
        .bytes(item.name.asBytes())
        .u64(item.bytes)
        .bytes(item.hash.asBytes());
  out.u16(static_cast<uint16_t>(dropped.size()));
  for (auto& name: dropped) out.bytes(name.asBytes());
  return out.finish();
}

Result<ShelfChange> ShelfChange::parse(crypto::Bytes bytes) {
  FlatReader in(bytes);
  auto version = in.u8();
  ShelfChange change;
  change.vault = in.id<DeviceId>();
  change.collection = in.id<crypto::CollectionId>();
  change.items = in.u64();
  change.root = in.id<Digest>();
  auto puts = in.count16(CHANGES_MAX, PUT_BYTES);
  for (size_t i = 0; i < puts; ++i) {
    Put put{in.id<ContentId>(), {in.id<BlobName>()}};
    put.item.bytes = in.u64();
    put.item.hash = in.id<Digest>();
    if (put.item.bytes > VaultItem::bytesMax()) in.refuse();
    change.put.push_back(put);
  }
  auto drops = in.count16(CHANGES_MAX, BlobName::SIZE);
  for (size_t i = 0; i < drops; ++i) change.dropped.push_back(in.id<BlobName>());
  if (auto end = in.finish(); !end) return no(end.error());
  if (version != VERSION) return no(Errc::BAD_VERSION, "a shelf of another version");
  return change;
}

}  // namespace hearth::storage
