#pragma once
// BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020) of bytes that come in pieces: for blobs, whose bytes
// are many and public to whoever hashes them. Everything else is BLAKE2b (hash.h).
//
// Three modes that never collide: the plain hash; keyed; and derive-key, whose context is a literal that names
// one use in the whole world, so that what is hashed for one purpose is no hash for another.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

class Blake3 final {
 public:
  static constexpr size_t KEY_BYTES = 32;

  Blake3();
  Blake3(const Blake3&) = default;
  Blake3& operator=(const Blake3&) = default;
  ~Blake3() noexcept(false);  // wipes what a key has left
  // Requires KEY_BYTES.
  static Blake3 keyed(Bytes key);
  static Blake3 deriving(kj::StringPtr context);

  Blake3& update(Bytes bytes);

  // Of all that has come so far; more may follow.
  Digest finish() const;
  // As many bytes as wanted; the first 32 are those of finish().
  void finish(kj::ArrayPtr<kj::byte> out) const;

 private:
  static constexpr size_t STATE_BYTES = 1'912;

  alignas(8) kj::byte state[STATE_BYTES];
};

Digest blake3(Bytes bytes);

}  // namespace hearth::crypto
