#pragma once
// A field of an op that only members read: the names of devices, the text of policies.
//
//   b[32] epoch_id | b[24] nonce | XChaCha20-Poly1305(k_log, nonce, aad, plain)
//   aad = "hearth/sealed-field/v1" || circle_id || author || u64 seq

#include "crypto/identity/circle-keys.h"
#include "crypto/primitives/aead.h"

namespace hearth::crypto {

// The op that carries the field.
struct FieldPlace {
  CircleId circle;
  DeviceId author;
  uint64_t seq = 0;
};

Buffer sealField(const FieldPlace& place, const EpochId& epoch, const EpochSecret& secret,
    const XChaChaPoly::Nonce& nonce, Bytes plain);

// The epoch whose secret opens the field.
// Errors: BAD_FORMAT for one that is too short.
Result<EpochId> epochOfField(Bytes sealed);

// Errors: BAD_FORMAT, DECRYPT_FAILED.
Result<Buffer> openField(const FieldPlace& place, const EpochSecret& secret, Bytes sealed);

// Whether people can be shown that as a name: printable (core/base/printable.h), and at most
// DeviceNames::NAME_BYTES_MAX bytes.
bool isName(kj::StringPtr text);

// What a DeviceMeta seals: var8 name | var8 model | u8 icon. Names are UTF-8 for people.
struct DeviceNames {
  static constexpr size_t NAME_BYTES_MAX = 64;

  kj::String name;
  kj::String model;
  uint8_t icon = 0;

  Buffer encode() const;
  // Errors: BAD_FORMAT, also for what isName() refuses: names are printed. The name is not empty.
  static Result<DeviceNames> decode(Bytes plain);
};

}  // namespace hearth::crypto
