#pragma once
// A device's signed consent to join one circle, in one role, through one admin:
//
//   b[32] circle_id | b[32] bundle_hash | b[32] admin device_id | u8 role                97 bytes

#include "crypto/identity/bundle.h"
#include "crypto/identity/role.h"

namespace hearth::crypto {

struct Join {
  static constexpr size_t BODY_BYTES = 97;
  static constexpr size_t ENVELOPE_BYTES = 213;

  CircleId circle;
  BundleHash bundle;
  DeviceId admin;
  Role role;

  bool operator==(const Join&) const = default;
  Buffer body() const;
  Buffer seal(const DeviceKeys& joiner) const;

  // Errors: BAD_FORMAT; BAD_SIGNATURE unless `joiner` alone signed it; COMMIT_MISMATCH when it names
  // another bundle than `joiner`. What circle, admin and role it names is for the caller to check.
  static Result<Join> open(Bytes envelope, const Bundle& joiner);
};

}  // namespace hearth::crypto
