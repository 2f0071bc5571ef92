#pragma once
// The blobs that this device keeps: small ones are rows of its database, others sealed files (storage/tables/blobs.h,
// docs/PROTOCOL.md "Blobs"). What is said to be here is on disk whole; what a kill or a power cut has left half done
// is gone on with or shredded.

#include "devices/data/blob-disk.h"
#include "storage/sql/store.h"
#include "storage/tables/blobs.h"

namespace hearth::devices {

// The collection of the blobs that people put and name.
crypto::CollectionId namedBlobs();

class BlobStore final: public BlobPlace {
 public:
  using Blob = storage::blobs::Blob;
  using Home = storage::blobs::Home;

  static constexpr size_t READ_BYTES_MAX = 1 << 20;  // at a time
  static constexpr uint64_t ROOM_BYTES = uint64_t{64}
      << 30;  // for all blobs, unless it is set otherwise

  // All outlive the store.
  struct Surroundings {
    const kj::Clock& clock;
    storage::Store& store;
    BlobDisk& disk;
    const BlobCircle& circle;
  };
  explicit BlobStore(Surroundings around): around(around) {}

  // Shreds what nobody knows any more, unless this device has forgotten something itself. To be awaited before anything else is asked.
  kj::Promise<void> start();

  kj::Promise<kj::Maybe<Blob>> find(ContentId content);
  static bool isHere(const Blob& blob) { return blob.home == Home::ROW || blob.home == Home::FILE; }

  // Requires that it is here, and that the range lies within it and is at most READ_BYTES_MAX long.
  // Errors: INTEGRITY_FAILED; EPOCH_UNKNOWN where this device has no key for it.
  kj::Promise<Result<crypto::Buffer>> read(Blob blob, uint64_t offset, size_t bytes);

  kj::Promise<void> pin(ContentId content, bool pinned);
  // On how many other devices it is that keep it (BlobNames::reliable).
  kj::Promise<void> setElsewhere(ContentId content, uint32_t devices);
  // Its bytes are shredded; what is known of it stays, unless nothing refers to it.
  kj::Promise<void> letGo(ContentId content);

  kj::Promise<storage::blobs::Usage> usage();
  uint64_t room() const { return roomBytes; }
  void setRoom(uint64_t bytes) { roomBytes = bytes; }
  // Lets go what is elsewhere too, least recently used first, until there is room for so much more. What it has let
  // go. Errors: QUOTA_EXCEEDED when there is not enough of that.
  kj::Promise<Result<std::vector<ContentId>>> makeRoom(uint64_t bytes);

  kj::Promise<Answers> parts(std::vector<storage::AskedPart> asked, size_t mostBytes) override;

 private:
  Surroundings around;
  uint64_t roomBytes = ROOM_BYTES;

  int64_t nowMs() const { return (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS; }
  kj::Promise<void> shred(std::vector<std::string> fileNames, std::vector<ContentId> contents);
};

}  // namespace hearth::devices
