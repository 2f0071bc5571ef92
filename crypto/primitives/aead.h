#pragma once
// Authenticated encryption of whole messages. Three algorithms, one shape:
//
//   ChaChaPoly    ChaCha20-Poly1305 IETF   links               nonce 12, tag 16
//   XChaChaPoly   XChaCha20-Poly1305       seals, small blobs  nonce 24, tag 16
//   Aegis256      AEGIS-256                bulk records        nonce 32, tag 32
//
// A (key, nonce) pair is used once. Nonces are counters, random where 24 bytes allow it, or zero
// under a key that is itself used once.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

template <typename Algorithm, size_t NONCE_BYTES, size_t TAG>
struct Aead {
  static constexpr size_t KEY_BYTES = 32;
  static constexpr size_t TAG_BYTES = TAG;
  using Nonce = Id<Algorithm, NONCE_BYTES>;

  // `out` holds plain.size() + TAG_BYTES; it may begin where `plain` begins.
  static void seal(
      Bytes key, const Nonce& nonce, Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out);
  static Buffer seal(Bytes key, const Nonce& nonce, Bytes ad, Bytes plain);

  // `out` holds sealed.size() - TAG_BYTES; it may begin where `sealed` begins.
  // Errors: DECRYPT_FAILED, also for input shorter than a tag. `out` is zero then.
  static Result<void> open(
      Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out);
  static Result<Buffer> open(Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed);

  // For secrets: the plaintext goes straight into protected memory.
  static Result<Secret> openSecret(Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed);
};

using ChaChaPoly = Aead<struct ChaChaPolyTag, 12, 16>;
using XChaChaPoly = Aead<struct XChaChaPolyTag, 24, 16>;
using Aegis256 = Aead<struct Aegis256Tag, 32, 32>;

// Whether this processor has the instructions that Aegis256 wants: without them it is slow, and what its time
// tells is not known (SECURITY.md §6.5).
bool cpuHasAes();

// NONCE_BYTES - 8 zero bytes, then `counter` little-endian (Noise §12.3, SECURITY §6.5).
template <typename NonceType>
NonceType counterNonce(uint64_t counter) {
  NonceType nonce;
  for (size_t i = 0; i < 8; ++i) {
    nonce.bytes[NonceType::SIZE - 8 + i] = static_cast<kj::byte>(counter >> (8 * i));
  }
  return nonce;
}

}  // namespace hearth::crypto
