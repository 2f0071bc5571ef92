#pragma once
// The cipher of a Noise protocol and the key it runs under (Noise rev 34 §5.1). The product speaks
// ChaChaPoly alone; another NoiseCipher exists only in the program that replays published vectors.

#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

class NoiseCipher {
 public:
  static constexpr size_t KEY_BYTES = 32;
  static constexpr size_t TAG_BYTES = 16;

  virtual kj::StringPtr name() const = 0;  // as in protocol names: "ChaChaPoly"

  // `out` holds plain.size() + TAG_BYTES; it may begin where `plain` begins.
  virtual void seal(
      Bytes key, uint64_t n, Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out) const = 0;

  // `out` holds sealed.size() - TAG_BYTES. False when the tag does not match.
  virtual bool open(
      Bytes key, uint64_t n, Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) const = 0;
};

const NoiseCipher& chaChaPoly();

using CipherKey = Key<struct CipherKeyTag, NoiseCipher::KEY_BYTES>;

// A key and its counter. The counter's last value, 2^64-1, is reserved for rekey() and never sealed
// under.
class CipherState final {
 public:
  static constexpr uint64_t NONCE_RESERVED = UINT64_MAX;

  CipherState(const NoiseCipher& cipher, CipherKey key, uint64_t n = 0)
      : cipher(cipher),
        key(kj::mv(key)),
        n(n) {}

  uint64_t counter() const { return n; }

  // Errors: KEYS_EXPIRED when the counter has run out.
  Result<Buffer> seal(Bytes ad, Bytes plain);
  Result<void> seal(Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out);

  // The counter moves only when the tag has matched.
  // Errors: DECRYPT_FAILED; KEYS_EXPIRED when the counter has run out.
  Result<Buffer> open(Bytes ad, Bytes sealed);

  // The same into `out`, which holds sealed.size() - 16 bytes and may begin where `sealed` begins.
  Result<void> open(Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out);

  // Noise §11.3: a new key, one way from the old; the counter goes on.
  void rekey();

  // Another key, counted from 0.
  void reset(Bytes newKey) {
    key.assign(newKey);
    n = 0;
  }

  // For published vectors, which state the keys.
  Bytes revealKey() const { return key.reveal(); }

 private:
  const NoiseCipher& cipher;
  CipherKey key;
  uint64_t n;
};

}  // namespace hearth::crypto
