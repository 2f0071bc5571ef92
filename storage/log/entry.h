#pragma once
// One entry of the operation log: what one device has changed in one collection, at one commit. Entries of
// an author follow one another in each collection, each with the hash of the one before, so that none can be
// left out, put in or put back. Whoever carries them verifies them; whoever has the collection's key reads
// them.
//
//   envelope  of type hearth/data/v1, signed by its author
//   body      u8 1 | b[16] collection | b[32] author | u64 seq | b[32] previous | u64 time | b[32] epoch
//             | b[24] nonce | XChaCha20-Poly1305(k_coll, nonce, all before the nonce, content)
//   hash      H("hearth/entry/v1", body)

#include "core/base/ids.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/signature.h"

namespace hearth::storage {

struct EntryHead {
  crypto::CollectionId collection;
  DeviceId author;
  uint64_t seq = 0;   // 0, 1, 2 … of this author in this collection
  Digest previous;    // hash of the author's entry before; zero for none
  uint64_t time = 0;  // by the author's hybrid logical clock
  EpochId epoch;      // whose secret the key of the content follows from

  bool operator==(const EntryHead&) const = default;
};

struct Entry {
  static constexpr size_t BYTES_MAX = 14 << 20;  // of an envelope
  static constexpr uint64_t TIME_MAX = uint64_t{1} << 63;

  EntryHead head;
  Digest hash;
  crypto::Buffer envelope;

  // The content sealed and the whole signed. Requires that it fits.
  static Entry make(const EntryHead& head, const crypto::CollectionKey& key,
      const crypto::XChaChaPoly::Nonce& nonce, crypto::Bytes content,
      const crypto::SignSecret& secret);

  // Its form alone: whether its author has signed it is another question.
  // Errors: BAD_FORMAT, BAD_VERSION.
  static Result<Entry> read(crypto::Buffer envelope);

  // Errors: BAD_SIGNATURE.
  Result<void> verify(const crypto::SignPublic& author) const;

  // Errors: DECRYPT_FAILED.
  Result<crypto::Buffer> open(const crypto::CollectionKey& key) const;
};

}  // namespace hearth::storage
