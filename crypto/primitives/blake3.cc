#include "crypto/primitives/blake3.h"

#include "crypto/primitives/secret.h"

#include <kj/debug.h>

#include <blake3.h>

namespace hearth::crypto {

namespace {

blake3_hasher& hasher(kj::byte* state) { return *reinterpret_cast<blake3_hasher*>(state); }
const blake3_hasher& hasher(const kj::byte* state) {
  return *reinterpret_cast<const blake3_hasher*>(state);
}

static_assert(BLAKE3_OUT_LEN == Digest::SIZE && BLAKE3_KEY_LEN == Blake3::KEY_BYTES);

}  // namespace

Blake3::Blake3() {
  static_assert(sizeof(state) >= sizeof(blake3_hasher) && alignof(blake3_hasher) <= 8);
  blake3_hasher_init(&hasher(state));
}

Blake3::~Blake3() noexcept(false) { wipe(kj::arrayPtr(state, STATE_BYTES)); }

Blake3 Blake3::keyed(Bytes key) {
  KJ_REQUIRE(key.size() == KEY_BYTES, key.size());
  Blake3 made;
  blake3_hasher_init_keyed(&hasher(made.state), key.begin());
  return made;
}

Blake3 Blake3::deriving(kj::StringPtr context) {
  Blake3 made;
  blake3_hasher_init_derive_key_raw(&hasher(made.state), context.begin(), context.size());
  return made;
}

Blake3& Blake3::update(Bytes bytes) {
  blake3_hasher_update(&hasher(state), bytes.begin(), bytes.size());
  return *this;
}

Digest Blake3::finish() const {
  Digest digest;
  blake3_hasher_finalize(&hasher(state), digest.bytes, Digest::SIZE);
  return digest;
}

void Blake3::finish(kj::ArrayPtr<kj::byte> out) const {
  blake3_hasher_finalize(&hasher(state), out.begin(), out.size());
}

Digest blake3(Bytes bytes) { return Blake3().update(bytes).finish(); }

}  // namespace hearth::crypto
