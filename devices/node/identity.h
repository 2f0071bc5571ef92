#pragma once
// Who this device is: its keys, its bundle and the key of its database. On disk:
//
//   keys/identity = b[4] "HID1" | u32 flags | u8 platform | b[32] device_id | b[24] nonce |
//                   XChaCha20-Poly1305(seed_wrap, nonce, ad = the bytes before it, root_seed)
//
// A root seed never leaves its device: an identity is made once and is not restored from a backup.

#include "crypto/identity/bundle.h"
#include "devices/key-store.h"

#include <kj/filesystem.h>

namespace hearth::devices {

struct Identity {
  crypto::DeviceKeys keys;
  crypto::Bundle bundle;
  crypto::DatabaseKey database;

  // Makes one. Requires that there is none.
  static Identity create(
      const kj::Directory& home, KeyStore& store, Entropy& entropy, uint32_t bundleFlags);

  // None when the device has no identity yet. Errors: BAD_FORMAT; DECRYPT_FAILED when the platform
  // root is not the one that it was sealed with.
  static Result<kj::Maybe<Identity>> load(const kj::Directory& home, KeyStore& store);
};

}  // namespace hearth::devices
