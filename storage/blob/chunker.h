#pragma once
// Cuts bytes into chunks where their content says so (FastCDC: Xia et al., USENIX ATC 2016 and IEEE TPDS 2020),
// so that what is inserted or changed in a file changes the chunks around it and no others. Bytes come in any
// pieces; the cuts are always the same.
//
// A gear hash rolls over the last 64 bytes: h = 2 h + gear[byte]. A chunk ends behind the first byte, not before
// `minBytes`, where h is small: rarely so up to `normalBytes`, often from there on, at `maxBytes` in any case.
// The gear comes from a key of the collection: where two collections cut, or a stranger would, is not the same.

#include "crypto/identity/circle-keys.h"
#include "storage/blob/tree.h"

namespace hearth::storage {

using ChunkKey =
    crypto::Key<struct ChunkKeyTag, 32>;  // of a collection; the same in all its epochs

// `first` is the secret of the circle's first epoch.
ChunkKey chunkKey(const crypto::EpochSecret& first, const CircleId& circle,
    const crypto::CollectionId& collection);

class Gear final {
 public:
  explicit Gear(const ChunkKey& key);
  ~Gear() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Gear);

  uint64_t operator[](kj::byte byte) const { return table[byte]; }

 private:
  uint64_t table[256];
};

struct ChunkSizes {
  uint32_t minBytes, normalBytes, maxBytes;
  uint8_t rareBits, oftenBits;  // a cut at one byte of 2^bits
};

// As measured in docs/adr/0092: 19 KiB on average.
constexpr ChunkSizes CHUNK_SIZES{8 << 10, 16 << 10, 64 << 10, 14, 13};
static_assert(CHUNK_SIZES.minBytes == CHUNK_BYTES_MIN && CHUNK_SIZES.maxBytes == CHUNK_BYTES_MAX,
    "a tree takes what is cut");

class Chunker final {
 public:
  // The gear outlives the chunker.
  explicit Chunker(const Gear& gear, const ChunkSizes& sizes = CHUNK_SIZES);

  struct Part {
    size_t bytes;  // of those given that belong to the chunk under way
    bool ends;     // the chunk is complete; the next byte begins another
  };

  // To be called again with what is left.
  Part next(crypto::Bytes bytes);

 private:
  const Gear& gear;
  ChunkSizes sizes;
  size_t length = 0;  // of the chunk under way
  uint64_t rolled = 0;

  bool roll(crypto::Bytes bytes, size_t& at, size_t upTo, uint8_t bits);
};

}  // namespace hearth::storage
