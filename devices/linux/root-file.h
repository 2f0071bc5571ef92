#pragma once
// The file keys/platform-root: the 32 bytes that protect all else on this device's disk, sealed or not.
//
//   not sealed    b[32] platform_root
//   passphrase    "HPR1" | u8 1 | b[16] salt | u64 passes | u64 memory_bytes | b[24] nonce |
//                 b[48] XChaCha20-Poly1305(Argon2id(passphrase, salt), nonce, ad = the bytes before)
//   TPM           "HPR1" | u8 2 | b[32] authorisation value | var16 public part | var16 private part
//
// The root itself is random in all three and never changes: so a device's passphrase may, without its
// database being written anew (docs/adr/0040-sealed-root.md).

#include "crypto/identity/storage-keys.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/passphrase.h"
#include "devices/linux/tpm.h"

#include <kj/one-of.h>

namespace hearth::devices {

struct PlainRoot {
  crypto::Secret root;
};

struct PassphraseRoot {
  crypto::PassphraseSalt salt;
  crypto::StretchCost cost;
  crypto::XChaChaPoly::Nonce nonce;
  kj::Array<kj::byte> box;

  // Errors: LIMIT_EXCEEDED when the memory that a guess takes is not to be had.
  static Result<PassphraseRoot> seal(const crypto::PlatformRoot& root,
      const crypto::Secret& passphrase, crypto::StretchCost cost, Entropy& entropy);
  // Errors: DECRYPT_FAILED for another passphrase; LIMIT_EXCEEDED.
  Result<crypto::Secret> open(const crypto::Secret& passphrase) const;
};

struct TpmRoot {
  TpmAuth auth;
  TpmSealed sealed;
};

using RootFile = kj::OneOf<PlainRoot, PassphraseRoot, TpmRoot>;

kj::Array<kj::byte> encode(const RootFile& file);
// Errors: BAD_FORMAT, also for a cost that no passphrase is worth.
Result<RootFile> decodeRootFile(crypto::Bytes bytes);

}  // namespace hearth::devices
