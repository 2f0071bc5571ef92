#include "crypto/handshake/noise-hash.h"

#include <kj/debug.h>

#include <cstring>
#include <sodium.h>

namespace hearth::crypto {

namespace {

class Blake2b final: public NoiseHash {
 public:
  kj::StringPtr name() const override { return "BLAKE2b"; }
  size_t bytes() const override { return 64; }
  size_t blockBytes() const override { return 128; }
  void digest(Parts parts, kj::ArrayPtr<kj::byte> out) const override {
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, 64);
    for (auto part: parts) crypto_generichash_blake2b_update(&state, part.begin(), part.size());
    crypto_generichash_blake2b_final(&state, out.begin(), 64);
    sodium_memzero(&state, sizeof(state));
  }
};

class Sha256 final: public NoiseHash {
 public:
  kj::StringPtr name() const override { return "SHA256"; }
  size_t bytes() const override { return 32; }
  size_t blockBytes() const override { return 64; }
  void digest(Parts parts, kj::ArrayPtr<kj::byte> out) const override {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (auto part: parts) crypto_hash_sha256_update(&state, part.begin(), part.size());
    crypto_hash_sha256_final(&state, out.begin());
    sodium_memzero(&state, sizeof(state));
  }
};

class Sha512 final: public NoiseHash {
 public:
  kj::StringPtr name() const override { return "SHA512"; }
  size_t bytes() const override { return 64; }
  size_t blockBytes() const override { return 128; }
  void digest(Parts parts, kj::ArrayPtr<kj::byte> out) const override {
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (auto part: parts) crypto_hash_sha512_update(&state, part.begin(), part.size());
    crypto_hash_sha512_final(&state, out.begin());
    sodium_memzero(&state, sizeof(state));
  }
};

}  // namespace

void NoiseHash::hmac(Bytes key, Parts parts, kj::ArrayPtr<kj::byte> out) const {
  KJ_REQUIRE(key.size() <= blockBytes() && parts.size() <= 2);
  Scratch<BLOCK_BYTES_MAX> inner, outer;
  if (key.size() > 0) {
    memcpy(inner.begin(), key.begin(), key.size());
    memcpy(outer.begin(), key.begin(), key.size());
  }
  for (auto& b: inner.writable()) b ^= 0x36;
  for (auto& b: outer.writable()) b ^= 0x5c;
  Bytes first = parts.size() > 0 ? *parts.begin() : Bytes(nullptr);
  Bytes second = parts.size() > 1 ? *(parts.begin() + 1) : Bytes(nullptr);
  Scratch<BYTES_MAX> digested;
  digest({inner.reveal().slice(0, blockBytes()), first, second}, digested.writable());
  digest({outer.reveal().slice(0, blockBytes()), digested.reveal().slice(0, bytes())}, out);
}

void NoiseHash::hkdf(
    Bytes key, Bytes material, std::initializer_list<kj::ArrayPtr<kj::byte>> outs) const {
  KJ_REQUIRE(outs.size() >= 1 && outs.size() <= 3);
  Scratch<BYTES_MAX> temp;
  hmac(key, {material}, temp.writable());
  auto tempKey = temp.reveal().slice(0, bytes());
  Bytes previous = nullptr;
  uint8_t counter = 0;
  for (auto out: outs) {
    ++counter;
    hmac(tempKey, {previous, Little(counter).asBytes()}, out);
    previous = out.slice(0, bytes());
  }
}

const NoiseHash& blake2b() {
  static const Blake2b instance;
  return instance;
}

const NoiseHash& sha256() {
  static const Sha256 instance;
  return instance;
}

const NoiseHash& sha512() {
  static const Sha512 instance;
  return instance;
}

}  // namespace hearth::crypto
