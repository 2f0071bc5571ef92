#pragma once
// The Device seam's keys: where the 32 bytes come from that protect all else on this device's disk
// (SECURITY.md §3.4). One implementation per platform; the simulator has its own.

#include "crypto/identity/storage-keys.h"

namespace hearth::devices {

class KeyStore {
 public:
  // The device's platform root; made at the first call. Throws when it cannot be read
  // or opened. Lives as long as the store.
  virtual const crypto::PlatformRoot& platformRoot() = 0;

  // Where it is kept and what that protects against, in words for `hearth status`.
  virtual kj::StringPtr describe() const = 0;
};

}  // namespace hearth::devices
