#include "crypto/primitives/hash.h"

#include <kj/debug.h>
#include <kj/vector.h>

#include <sodium.h>

namespace hearth::crypto {

namespace {

using Blake = crypto_generichash_blake2b_state;

void update(Blake& state, Bytes part) {
  crypto_generichash_blake2b_update(&state, part.begin(), part.size());
}

Digest labelled(Bytes key, kj::StringPtr label, Parts parts) {
  KJ_REQUIRE(label.size() <= 0xff, label.size());
  Blake state;
  KJ_REQUIRE(crypto_generichash_blake2b_init(&state, key.begin(), key.size(), Digest::SIZE) == 0);
  update(state, Little(static_cast<uint8_t>(label.size())).asBytes());
  update(state, label.asBytes());
  for (auto part: parts) update(state, part);
  Digest digest;
  crypto_generichash_blake2b_final(&state, digest.bytes, Digest::SIZE);
  wipe(kj::arrayPtr(reinterpret_cast<kj::byte*>(&state), sizeof(state)));
  return digest;
}

}  // namespace

Digest hash(kj::StringPtr label, Parts parts) { return labelled(nullptr, label, parts); }

Mac mac(Bytes key, kj::StringPtr label, Parts parts) {
  KJ_REQUIRE(key.size() >= 16 && key.size() <= MAC_KEY_BYTES_MAX, key.size());
  return Mac::from(labelled(key, label, parts).asBytes()).value();
}

Mac16 mac16(Bytes key, kj::StringPtr label, Parts parts) {
  return Mac16::from(mac(key, label, parts).asBytes().slice(0, Mac16::SIZE)).value();
}

void kdf(Bytes secret, kj::StringPtr label, Parts context, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(label.size() <= 0xff, label.size());
  KJ_REQUIRE(out.size() <= KDF_BYTES_MAX, out.size());
  static constexpr kj::StringPtr SALT = "hearth/kdf/v1"_kj;
  Scratch<crypto_kdf_hkdf_sha256_KEYBYTES> prk;
  crypto_kdf_hkdf_sha256_extract(
      prk.begin(), SALT.asBytes().begin(), SALT.size(), secret.begin(), secret.size());

  kj::Vector<kj::byte> info;
  info.add(static_cast<kj::byte>(label.size()));
  info.addAll(label.asBytes());
  for (auto part: context) info.addAll(part);
  crypto_kdf_hkdf_sha256_expand(out.begin(), out.size(),
      reinterpret_cast<const char*>(info.begin()), info.size(), prk.begin());
  wipe(info.asPtr());
}

}  // namespace hearth::crypto
