#pragma once
// A blob on its way into the store. What it is called must be known before it is sealed, so its bytes come twice:
// first they are cut and hashed, then sealed; a small blob's only once.
//
//   add() ... ──▶ cut() ──▶ needed: add() the same again ... ──▶ finish()
//                   └─────▶ not needed ────────────────────────▶ finish()

#include "devices/data/blob-store.h"
#include "storage/blob/cutter.h"

namespace hearth::devices {

class BlobPut final {
 public:
  // All of `around` outlive this object.
  BlobPut(BlobStore::Surroundings around, storage::ChunkKey chunkKey);
  ~BlobPut() noexcept(false);

  // One call at a time, each awaited before the next. Errors: BAD_FORMAT where the second time other bytes come than
  // the first; LIMIT_EXCEEDED for more than a blob may have.
  kj::Promise<Result<void>> add(crypto::Buffer bytes);

  // All bytes have come once. Whether they are needed again.
  kj::Promise<bool> cut();
  // What the blob is. Requires that it is cut.
  const BlobRef& ref() const { return KJ_ASSERT_NONNULL(reference); }

  // The blob is on disk. Requires that its bytes have come as often as needed.
  // Errors: BAD_FORMAT as in add(); BUSY where it is just being put by somebody else; EPOCH_UNKNOWN where this
  // device may not write.
  kj::Promise<Result<void>> finish();

 private:
  struct Pass;

  BlobStore::Surroundings around;
  storage::Gear gear;
  kj::Own<Pass> pass;
  kj::Maybe<BlobRef> reference;
  bool isHere = false;
  crypto::Buffer small;
  std::vector<std::pair<Digest, crypto::Buffer>> nodes;
  kj::Maybe<kj::Own<OwnedBlobKeys>> keys;
  std::shared_ptr<kj::Own<storage::BlobFiles::Writing>> writing;  // used on the executor

  kj::Promise<Result<void>> beginSealing();
};

}  // namespace hearth::devices
