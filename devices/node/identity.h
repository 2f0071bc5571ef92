#pragma once
// Who this device is: its keys, its bundle and the key of its database. On disk:
//
//   keys/identity = b[4] "HID2" | u32 flags | u8 platform | b[32] device_id | b[32] home_id |
//                   b[24] nonce | XChaCha20-Poly1305(seed_wrap, nonce, ad = the bytes before it, root_seed)
//   keys/next     the same, of keys that are about to take its place (rotation.h)
//
// A root seed never leaves its device: an identity is made once and is not restored from a backup. The
// keys of what lies on the disk follow from home_id, the first device_id that this home had, and stay
// when the device's own keys are others (docs/adr/0047).

#include "crypto/identity/bundle.h"
#include "devices/key-store.h"

#include <kj/filesystem.h>

namespace hearth::devices {

struct Identity {
  crypto::DeviceKeys keys;
  crypto::Bundle bundle;
  DeviceId homeId;
  crypto::StorageKey storage;
  crypto::DatabaseKey database;

  // Makes one. Requires that there is none.
  static Identity create(
      const kj::Directory& home, KeyStore& store, Entropy& entropy, uint32_t bundleFlags);

  // None when the device has no identity yet. Errors: BAD_FORMAT; DECRYPT_FAILED when the platform
  // root is not the one that it was sealed with.
  static Result<kj::Maybe<Identity>> load(const kj::Directory& home, KeyStore& store);

  // Fresh keys for the same home, on disk as keys/next when this returns.
  Identity makeNext(const kj::Directory& home, Entropy& entropy) const;
  // What keys/next holds, if there is one. Errors: those of load().
  Result<kj::Maybe<Identity>> loadNext(const kj::Directory& home) const;
  // keys/next takes the place of keys/identity, in one step.
  static void adoptNext(const kj::Directory& home);
  static void dropNext(const kj::Directory& home);
};

}  // namespace hearth::devices
