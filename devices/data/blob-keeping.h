#pragma once
// Blobs of other devices on their way into the store: one target for all of them. A small blob is a row as soon as it
// has come. A large one is sealed in order, while it comes in any: what is ahead waits in memory, of which the
// fetcher sees that it is not much. After a restart it goes on behind what was sealed.

#include "devices/data/blob-store.h"

#include <functional>
#include <memory>

namespace hearth::devices {

class BlobKeeping final: private BlobTarget {
 public:
  // Of nodes that have come: kept with what comes next, once it is that much.
  static constexpr size_t NODE_BYTES_MAX = 256 << 10;

  // All outlive this object.
  BlobKeeping(BlobStore::Surroundings around, BlobFetching& fetching)
      : around(around),
        fetching(fetching) {}

  // Resolves when the blob is on disk whole; at once where it is. One at a time of a blob.
  // Errors: those of BlobFetching::fetch; EPOCH_UNKNOWN where this device may not write.
  kj::Promise<Result<void>> fetch(BlobRef ref, uint32_t need);

  // How much of a blob that is being fetched has come; none: it is not.
  kj::Maybe<uint64_t> received(const ContentId& content) const;

 private:
  struct Incoming {
    BlobRef ref;
    kj::Own<OwnedBlobKeys> keys;                   // of a large one
    kj::Own<storage::BlobFiles::Writing> writing;  // of a large one; used on the executor
    uint64_t sealed = 0;                           // bytes from the beginning that writing has
    uint64_t arrived = 0;
    std::map<uint64_t, crypto::Buffer> ahead;              // chunks by offset
    std::vector<std::pair<Digest, crypto::Buffer>> nodes;  // that are not in the database yet
    size_t nodeBytes = 0;
  };
  using Shared = std::shared_ptr<Incoming>;  // with what the executor is doing just now

  BlobStore::Surroundings around;
  BlobFetching& fetching;
  std::map<ContentId, Shared> incoming;

  kj::Promise<Result<void>> begin(Shared in, storage::blobs::Blob known);
  kj::Promise<void> finish(Shared in);
  static void open(Incoming& in, BlobDisk::Files& files);
  static std::vector<crypto::Buffer> nextOf(Incoming& in);
  kj::Promise<Looked> look(std::vector<WantedPart> parts) override;
  kj::Promise<void> keep(std::vector<Arrived> parts) override;
  kj::Promise<void> seal(std::vector<std::pair<Shared, std::vector<crypto::Buffer>>> chunks);
};

}  // namespace hearth::devices
