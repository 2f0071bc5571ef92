#pragma once
// Hash functions as Noise uses them: the plain hash, HMAC (RFC 2104) and its own HKDF (Noise rev 34
// §4.3). The product speaks BLAKE2b; SHA-256 and SHA-512 are there so that the published vectors
// test the same machine.

#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

class NoiseHash {
 public:
  static constexpr size_t BYTES_MAX = 64;
  static constexpr size_t BLOCK_BYTES_MAX = 128;

  virtual kj::StringPtr name() const = 0;  // as in protocol names: "BLAKE2b"
  virtual size_t bytes() const = 0;        // HASHLEN
  virtual size_t blockBytes() const = 0;   // BLOCKLEN

  // Fills out[0..bytes()).
  virtual void digest(Parts parts, kj::ArrayPtr<kj::byte> out) const = 0;

  // Requires key.size() <= blockBytes(): no longer key exists in Noise.
  void hmac(Bytes key, Parts parts, kj::ArrayPtr<kj::byte> out) const;

  // Fills each of `outs` (one to three, bytes() long) with the next output of HKDF(key, material).
  void hkdf(Bytes key, Bytes material, std::initializer_list<kj::ArrayPtr<kj::byte>> outs) const;
};

const NoiseHash& blake2b();
const NoiseHash& sha256();
const NoiseHash& sha512();

}  // namespace hearth::crypto
