#include "devices/data/blob-circle.h"

#include "crypto/membership/epoch-keys.h"
#include "crypto/primitives/blake3.h"

namespace hearth::devices {

using crypto::CollectionId;

bool BlobCircle::readsBlobs(const DeviceId& device) const {
  if (!keeper.isActive(device) || keeper.isQuarantined(device)) return false;
  return keeper.state()
      .find(device)
      .map([](auto& member) { return member.role != crypto::Role::VAULT; })
      .orDefault(false);
}

bool BlobCircle::mayRead(const DeviceId& device, const CollectionId&) const {
  return readsBlobs(device);
}

kj::Maybe<kj::Own<OwnedBlobKeys>> BlobCircle::keysOf(
    const EpochId& epoch, const CollectionId& collection) const {
  return keeper.secretOf(epoch).map([&](auto& secret) {
    crypto::EpochName name{keeper.log().circle(), epoch};
    return kj::heap<OwnedBlobKeys>(OwnedBlobKeys{crypto::collectionKey(secret, name, collection),
        crypto::blobNameKey(secret, name, collection), collection, epoch});
  });
}

kj::Maybe<kj::Own<OwnedBlobKeys>> BlobCircle::keysToWriteWith(
    const CollectionId& collection) const {
  if (!keeper.isActive(keeper.selfId()) || keeper.hasForgotten()) return nullptr;
  KJ_IF_MAYBE(epoch, keeper.state().epoch) return keysOf(epoch->id, collection);
  return nullptr;
}

// Back from the epoch that all devices have in common, so that all come to the same first one.
kj::Maybe<storage::ChunkKey> BlobCircle::chunkKeyOf(const CollectionId& collection) const {
  KJ_IF_MAYBE(current, keeper.state().epoch) {
    auto first = current->id;
    for (;;) {
      auto payload = crypto::epochPayload(keeper.log(), first);
      if (payload == nullptr) return nullptr;
      if (payload->n <= 1) break;
      first = payload->previous;
    }
    KJ_IF_MAYBE(secret, keeper.secretOf(first))
      return storage::chunkKey(*secret, keeper.log().circle(), collection);
  }
  return nullptr;
}

kj::Maybe<CollectionId> BlobCircle::collectionCalled(
    kj::StringPtr family, kj::StringPtr name) const {
  auto named = [](const Digest& hash) {
    return CollectionId::from(hash.asBytes().slice(0, CollectionId::SIZE)).value();
  };
  auto all = named(crypto::hash("hearth/collection/v1", {family.asBytes()}));
  return chunkKeyOf(all).map([&](auto& key) {
    return named(crypto::Blake3::keyed(key.reveal())
            .update("hearth/collection-name/v1"_kj.asBytes())
            .update(name.asBytes())
            .finish());
  });
}

}  // namespace hearth::devices
