#pragma once
// A blob at rest (SECURITY.md §10.5): a file that whoever has the collection's key reads from any place, and
// nobody else at all. The key of the data is the file's own, so that it is gone when the header is.
//
//   file     b[4] "HBL1" | u8 1 | b[16] collection | b[32] epoch_id | b[72] wrapped DEK | b[24] header | chunks
//   wrapped  b[24] nonce | XChaCha20-Poly1305(k_coll, nonce, ad = "hearth/dek/v1" || blob_id, DEK)
//   chunk    secretstream over 64 KiB, ad = blob_id || u64 index, the last one final
//   name     hex of MAC(k_name, "hearth/blob-file/v1", content id)
//
// Where a size must not tell, zeros follow the blob (padding.h); how long the blob itself is says its reference.

#include "crypto/identity/circle-keys.h"
#include "crypto/primitives/secret-stream.h"
#include "storage/blob/tree.h"

#include <kj/filesystem.h>
#include <kj/function.h>

#include <expected>

namespace hearth::storage {

using BlobId = Id<struct BlobIdTag, 32>;
// What a blob's file is called: nothing of its content to whoever lacks the key.
using BlobName = Id<struct BlobNameTag, 32>;

BlobId blobId(const crypto::CollectionId& collection, const ContentId& content);

// What could not be read, and why.
struct BlobFault {
  Errc code;
  kj::StringPtr because;
  crypto::CollectionId collection;
  BlobId item;

  friend kj::String KJ_STRINGIFY(const BlobFault& fault) {
    return kj::str(nameOf(fault.code), ": ", fault.because, " (collection ", fault.collection,
        ", blob ", fault.item, ")");
  }
};
template <typename T>
using BlobResult = std::expected<T, BlobFault>;

// A collection's keys in one epoch. They outlive whatever is given them.
struct BlobKeys {
  const crypto::CollectionKey& wrapping;
  const crypto::BlobNameKey& naming;
  crypto::CollectionId collection;
  EpochId epoch;

  BlobName name(const ContentId& content) const;
  kj::String fileName(const ContentId& content) const;  // the same in hex
};

struct SealedHeader {
  static constexpr size_t WRAPPED_BYTES = 72, WRAPPED_AT = 53, ENCODED_BYTES = 149;

  crypto::CollectionId collection;
  EpochId epoch;
  kj::byte wrapped[WRAPPED_BYTES] = {};
  crypto::SecretStream::Header stream;

  crypto::Buffer encode() const;
  // Errors: BAD_FORMAT; BAD_VERSION.
  static Result<SealedHeader> parse(crypto::Bytes bytes);
};

constexpr size_t SEALED_CHUNK_BYTES = 64 << 10;

// The size of the file of a blob of so many bytes, padding included.
uint64_t sealedBytes(uint64_t length);

class SealedWriter final {
 public:
  // Where the file's bytes go, from its beginning on.
  using Sink = kj::Function<void(uint64_t at, crypto::Bytes bytes)>;

  // Zeros follow the blob up to `paddedTo` bytes.
  SealedWriter(Sink sink, const BlobKeys& keys, const ContentId& content, Entropy& entropy,
      uint64_t paddedTo);
  // The file is empty and outlives the writer.
  SealedWriter(const kj::File& file, const BlobKeys& keys, const ContentId& content,
      Entropy& entropy, uint64_t paddedTo)
      : SealedWriter(into(file), keys, content, entropy, paddedTo) {}

  // Goes on behind what an earlier writer has left of the same file: as far as its chunks are whole.
  // Errors: INTEGRITY_FAILED for anything that is not the beginning of this blob's file.
  static BlobResult<kj::Own<SealedWriter>> resume(
      const kj::File& file, const BlobKeys& keys, const ContentId& content, uint64_t paddedTo);

  // Bytes of the blob that have come.
  uint64_t written() const { return index * SEALED_CHUNK_BYTES + filled; }

  // Requires that there are at most `paddedTo` in all.
  void add(crypto::Bytes bytes);
  void finish();

  SealedWriter(kj::Badge<SealedWriter>, const kj::File& file, const BlobId& id, uint64_t paddedTo,
      crypto::Bytes dek, const crypto::SecretStream::Header& header);

 private:
  struct Start;

  Sink sink;
  BlobId id;
  crypto::SecretStream stream;
  uint64_t left, at = SealedHeader::ENCODED_BYTES, index = 0;
  kj::Array<kj::byte> plain, sealed;
  size_t filled = 0;

  SealedWriter(Sink sink, const BlobId& id, uint64_t paddedTo, Start start);
  static Sink into(const kj::File& file);
  void sealChunk(bool last);
  void takeUp(const kj::File& file);
};

class SealedReader final {
 public:
  // Errors: INTEGRITY_FAILED for anything that is not the file of this blob, of this collection, padded to so many
  // bytes; the header alone is looked at.
  static BlobResult<kj::Own<SealedReader>> open(kj::Own<const kj::ReadableFile> file,
      const BlobKeys& keys, const ContentId& content, uint64_t paddedTo);

  // Opens the chunks that hold the range and no others. Requires that it lies within. Errors: INTEGRITY_FAILED;
  // nothing of `out` is to be used then.
  BlobResult<void> read(uint64_t offset, kj::ArrayPtr<kj::byte> out);

  SealedReader(kj::Badge<SealedReader>, kj::Own<const kj::ReadableFile> file, BlobFault fault,
      uint64_t paddedTo, crypto::Bytes dek, const crypto::SecretStream::Header& header);

 private:
  kj::Own<const kj::ReadableFile> file;
  BlobFault fault;  // what is told if there is one
  uint64_t length, chunks;
  crypto::SecretStream stream;
  uint64_t next = 0;                              // chunk that the stream is at
  uint64_t held;                                  // chunk whose bytes `plain` has
  std::vector<crypto::SecretStream::Link> links;  // before chunk i, as far as they have been read
  kj::Array<kj::byte> plain, sealed;

  BlobResult<void> seek(uint64_t chunk);
  BlobResult<crypto::Bytes> openChunk(uint64_t chunk);
  std::unexpected<BlobFault> damaged(kj::StringPtr because) const;
};

}  // namespace hearth::storage
