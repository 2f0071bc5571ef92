#pragma once
// What blobs ask of the circle: who may have them, and the keys that they are cut and sealed with.

#include "devices/data/blob-exchange.h"
#include "devices/node/circle-keeper.h"
#include "storage/blob/chunker.h"
#include "storage/blob/sealed-file.h"

namespace hearth::devices {

// A collection's keys in one epoch, for work that goes on elsewhere.
struct OwnedBlobKeys {
  crypto::CollectionKey wrapping;
  crypto::BlobNameKey naming;
  crypto::CollectionId collection;
  EpochId epoch;

  // For as long as this stays where it is.
  storage::BlobKeys borrowed() const { return {wrapping, naming, collection, epoch}; }
};

class BlobCircle final: public BlobExchange::Readers {
 public:
  // The keeper outlives this object.
  explicit BlobCircle(const CircleKeeper& keeper): keeper(keeper) {}

  // A VAULT has no part in what it cannot read, nor has a device that was put back to an older copy of itself.
  bool readsBlobs(const DeviceId& device) const override;
  // Every device that reads at all reads every collection: the keys of all follow from the same secret.
  bool mayRead(const DeviceId& device, const crypto::CollectionId& collection) const override;

  // This device was put back to an older copy of its disk.
  bool hasForgotten() const { return keeper.hasForgotten(); }

  // None: this device does not hold that epoch's secret.
  kj::Maybe<kj::Own<OwnedBlobKeys>> keysOf(
      const EpochId& epoch, const crypto::CollectionId& collection) const;
  // Of the newest epoch. None: this device may not write.
  kj::Maybe<kj::Own<OwnedBlobKeys>> keysToWriteWith(const crypto::CollectionId& collection) const;
  // The same in all epochs. None: this device can read nothing.
  kj::Maybe<storage::ChunkKey> chunkKeyOf(const crypto::CollectionId& collection) const;
  // Of what people have called so: the same on all devices, and nothing that says the name to whoever holds no key.
  // None: this device can read nothing.
  kj::Maybe<crypto::CollectionId> collectionCalled(kj::StringPtr family, kj::StringPtr name) const;

 private:
  const CircleKeeper& keeper;
};

}  // namespace hearth::devices
