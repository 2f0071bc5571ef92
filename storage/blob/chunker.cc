#include "storage/blob/chunker.h"

#include "crypto/primitives/blake3.h"

#include <kj/debug.h>

namespace hearth::storage {

ChunkKey chunkKey(const crypto::EpochSecret& first, const CircleId& circle,
    const crypto::CollectionId& collection) {
  return crypto::derive<ChunkKey>(
      first.reveal(), "hearth/chunk-key/v1", {circle.asBytes(), collection.asBytes()});
}

Gear::Gear(const ChunkKey& key) {
  crypto::Scratch<sizeof(table)> drawn;
  crypto::Blake3::keyed(key.reveal())
      .update("hearth/gear/v1"_kj.asBytes())
      .finish(drawn.writable());
  for (size_t i = 0; i < sizeof(table); ++i) {
    auto& word = table[i / 8];
    word = (i % 8 == 0 ? 0 : word) | uint64_t{drawn.begin()[i]} << (8 * (i % 8));
  }
}

Gear::~Gear() noexcept(false) {
  crypto::wipe(kj::arrayPtr(reinterpret_cast<kj::byte*>(table), sizeof(table)));
}

Chunker::Chunker(const Gear& gear, const ChunkSizes& sizes): gear(gear), sizes(sizes) {
  KJ_REQUIRE(0 < sizes.minBytes && sizes.minBytes <= sizes.normalBytes &&
      sizes.normalBytes <= sizes.maxBytes);
  KJ_REQUIRE(0 < sizes.oftenBits && sizes.oftenBits <= sizes.rareBits && sizes.rareBits < 64);
}

// Whether a cut lies before the chunk is `upTo` long. Each byte waits for the hash of the one before, so what counts
// is how long that takes: one step (lea) instead of two where the table's word is already in a register, which
// the compiler must be told. Eight bytes a turn spare the loop's own work.
bool Chunker::roll(crypto::Bytes bytes, size_t& at, size_t upTo, uint8_t bits) {
  if (length >= upTo) return false;
  auto count = kj::min(upTo - length, bytes.size() - at);
  auto *begin = bytes.begin() + at, *byte = begin, *end = begin + count;
  const uint64_t limit = uint64_t{1} << (64 - bits);
  auto hash = rolled;
  bool found = false;
  auto step = [&]() {
    auto word = gear[*byte++];
    asm("" : "+r"(word));
    hash = (hash << 1) + word;
    return hash < limit;
  };
  while (!found && end - byte >= 8)
    found = step() || step() || step() || step() || step() || step() || step() || step();
  while (!found && byte < end) found = step();
  rolled = hash;
  at += static_cast<size_t>(byte - begin);
  length += static_cast<size_t>(byte - begin);
  return found;
}

Chunker::Part Chunker::next(crypto::Bytes bytes) {
  size_t at = 0;
  if (length < sizes.minBytes) {  // no cut here, whatever the bytes are
    at = kj::min(sizes.minBytes - length, bytes.size());
    length += at;
  }
  bool ends = roll(bytes, at, sizes.normalBytes, sizes.rareBits) ||
      roll(bytes, at, sizes.maxBytes, sizes.oftenBits) || length >= sizes.maxBytes;
  if (ends) {
    length = 0;
    rolled = 0;
  }
  return {at, ends};
}

}  // namespace hearth::storage
