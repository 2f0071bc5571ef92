#pragma once
// Bytes that look random and are the same in every run.

#include "crypto/primitives/bytes.h"
#include "storage/blob/chunker.h"

#include <cstring>
#include <random>

namespace hearth::storage {

inline crypto::Buffer randomBytes(size_t count, uint64_t seed) {
  std::mt19937_64 luck(seed);
  auto bytes = kj::heapArray<kj::byte>(count);
  for (size_t at = 0; at < count; at += 8) {
    uint64_t word = luck();
    memcpy(bytes.begin() + at, &word, kj::min(count - at, sizeof(word)));
  }
  return bytes;
}

inline ChunkKey testKey(kj::byte fill = 1) {
  return ChunkKey::make(
      [fill](kj::ArrayPtr<kj::byte> out) { memset(out.begin(), fill, out.size()); });
}

}  // namespace hearth::storage
