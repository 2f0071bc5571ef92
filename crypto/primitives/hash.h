#pragma once
// The labelled hash, MAC and KDF that every formula of Hearth uses. A label is a short ASCII name
// such as "hearth/id/v1"; its length is hashed before it, so that no label is the start of another.
//
//   LABEL(s) = u8(len(s)) || s
//   H        = BLAKE2b-256(LABEL || x)
//   MAC      = BLAKE2b-256(key, LABEL || x)                 MAC16 = its first 16 bytes
//   KDF      = HKDF-SHA256-Expand(HKDF-Extract("hearth/kdf/v1", secret), LABEL || ctx, L)

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

using Mac = Id<struct MacTag, 32>;
using Mac16 = Id<struct Mac16Tag, 16>;

constexpr size_t MAC_KEY_BYTES_MAX = 64;
constexpr size_t KDF_BYTES_MAX = 255 * 32;

// H(label, x), x being the parts one after another. `label` is a literal of at most 255 bytes.
Digest hash(kj::StringPtr label, Parts parts);

// The same 32 bytes as an id of another kind: hashAs<DeviceId>("hearth/id/v1", ...).
template <typename IdType>
IdType hashAs(kj::StringPtr label, Parts parts) {
  static_assert(IdType::SIZE == Digest::SIZE);
  return IdType::from(hash(label, parts).asBytes()).value();
}

// Requires a key of 16..MAC_KEY_BYTES_MAX bytes. Compare results with equalSecrets.
Mac mac(Bytes key, kj::StringPtr label, Parts parts);
Mac16 mac16(Bytes key, kj::StringPtr label, Parts parts);

// Fills `out` (at most KDF_BYTES_MAX bytes).
void kdf(Bytes secret, kj::StringPtr label, Parts context, kj::ArrayPtr<kj::byte> out);

// KDF(secret, label, context, K::SIZE) as a key of its own kind.
template <typename K>
K derive(Bytes secret, kj::StringPtr label, Parts context = {}) {
  return K::make([&](kj::ArrayPtr<kj::byte> out) { kdf(secret, label, context, out); });
}

}  // namespace hearth::crypto
