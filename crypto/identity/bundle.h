#pragma once
// The device bundle: what a device says about itself to its circle, signed by its own key.
//
//   u8 version 1 | u8 suite 1 | u8 platform | u8 0 | u32 flags | u32 bundle_version |
//   b[32] ed_pk | b[32] x_pk | b[1216] xw_pk                                       1292 bytes
//
// Names and models are not in it; they travel sealed in the membership log.

#include "crypto/identity/device-keys.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

enum class Platform : uint8_t {
  LINUX = 1,
  ANDROID = 2,
  IOS = 3,
  WATCHOS = 4,
  WEAROS = 5,
  MACOS = 6,
  WINDOWS = 7,
  OTHER = 255,
};

using BundleHash = Digest;

struct Bundle {
  static constexpr size_t BODY_BYTES = 1292;
  // A body and one signature in an envelope.
  static constexpr size_t ENVELOPE_BYTES = 1410;

  static constexpr uint32_t AES_HW = 1;    // has AES instructions: bulk records may be used
  static constexpr uint32_t EXECUTES = 2;  // runs plugins
  static constexpr uint32_t BATTERY = 4;
  static constexpr uint32_t FLAGS_ALL = AES_HW | EXECUTES | BATTERY;

  Platform platform;
  uint32_t flags;
  uint32_t version;  // bundle_version, from 1
  PublicKeys keys;

  DeviceId id() const { return keys.id(); }
  BundleHash hash() const;
  Buffer body() const;
  bool operator==(const Bundle&) const = default;

  // The envelope of this bundle, signed by `own`, which must be the device's keys.
  Buffer seal(const DeviceKeys& own) const;

  // Errors: BAD_VERSION for another version or suite; BAD_FORMAT for another length, a platform or
  // flag that is not listed, bundle_version 0.
  static Result<Bundle> parse(Bytes body);

  // Opens an envelope and checks the bundle's signature by itself. Whether the device is one's own
  // is for the caller to know.
  //
  // Errors: those of parse and readEnvelope; BAD_SIGNATURE when it is not signed by exactly its
  // own `ed` key under its own id.
  static Result<Bundle> open(Bytes envelope);
};

}  // namespace hearth::crypto
