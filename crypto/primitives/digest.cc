#include "crypto/primitives/digest.h"

#include <sodium.h>

namespace hearth::crypto {

namespace {
using Blake = crypto_generichash_blake2b_state;

Blake* as(kj::byte* state) { return reinterpret_cast<Blake*>(state); }
}  // namespace

Digester::Digester() {
  static_assert(sizeof(Blake) <= STATE_BYTES);
  crypto_generichash_blake2b_init(as(state), nullptr, 0, Digest::SIZE);
}

Digester& Digester::update(Bytes bytes) {
  crypto_generichash_blake2b_update(as(state), bytes.begin(), bytes.size());
  return *this;
}

Digest Digester::finish() {
  Digest digest;
  crypto_generichash_blake2b_final(as(state), digest.bytes, Digest::SIZE);
  crypto_generichash_blake2b_init(as(state), nullptr, 0, Digest::SIZE);
  return digest;
}

Digest digestOf(Bytes bytes) { return Digester().update(bytes).finish(); }

}  // namespace hearth::crypto
