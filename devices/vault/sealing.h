#pragma once
// A blob of this device on its way to a VAULT: sealed with a key of its own, padded, piece by piece, so that none of it
// waits anywhere.

#include "crypto/primitives/blake3.h"
#include "devices/data/blob-disk.h"
#include "devices/vault/own-bytes.h"
#include "storage/vault/item.h"

namespace hearth::devices {

class Sealing final {
 public:
  // The exchange and the disk, whose executor seals, outlive this object. Requires that the blob is not empty.
  Sealing(BlobExchange& exchange, BlobDisk& disk, Entropy& entropy, const BlobRef& ref,
      kj::Own<OwnedBlobKeys> keys);

  storage::BlobName name() const { return keys->borrowed().name(ref.contentId()); }
  uint64_t bytes() const { return storage::sealedBytes(paddedTo); }  // of the sealed file

  // What comes next of the sealed file, while there is more. Errors: STALE where the blob is not here any more.
  kj::Promise<Result<crypto::Buffer>> next();
  // Requires that all has come.
  storage::VaultItem item() const { return {name(), bytes(), hash.finish()}; }

 private:
  BlobDisk& disk;
  BlobRef ref;
  kj::Own<OwnedBlobKeys> keys;
  OwnBytes plain;
  uint64_t paddedTo, plainLeft, zerosLeft;
  kj::Vector<kj::byte> sealed;  // and not given yet
  storage::SealedWriter writer;
  crypto::Blake3 hash;
  bool isFinished = false;

  kj::Promise<Result<void>> sealMore();
};

}  // namespace hearth::devices
