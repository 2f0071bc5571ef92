#pragma once
// Agreement on secrets: X25519, ML-KEM-768 and X-Wing (draft-connolly-cfrg-xwing-kem). Key
// generation and encapsulation are deterministic in the seeds that the caller draws from Entropy.
//
// A decapsulation never fails visibly: a tampered ciphertext yields another secret, and the next
// AEAD open refuses. Nothing may branch on it.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

using DhPublic = Id<struct DhPublicTag, 32>;
using DhSecret = Key<struct DhSecretTag, 32>;
using DhShared = Key<struct DhSharedTag, 32>;

DhPublic publicOf(const DhSecret& secret);

// Errors: SMALL_ORDER when the peer's point makes the result all zero (RFC 7748 §6.1).
Result<DhShared> agree(const DhSecret& own, const DhPublic& peer);
// The same into `out`, which holds 32 bytes and is all zero after an error.
Result<void> agree(const DhSecret& own, const DhPublic& peer, kj::ArrayPtr<kj::byte> out);

struct MlKem {
  static constexpr size_t CIPHERTEXT_BYTES = 1088;
  using Public = Id<struct MlKemPublicTag, 1184>;
  using Secret = Key<struct MlKemSecretTag, 2400>;
  using Shared = Key<struct MlKemSharedTag, 32>;
  using KeySeed = Key<struct MlKemKeySeedTag, 64>;        // d || z of FIPS 203
  using EncapsSeed = Key<struct MlKemEncapsSeedTag, 32>;  // m of FIPS 203

  struct Pair {
    Secret secret;
    Public pk;
  };
  struct Encapsulated {
    Buffer ciphertext;
    Shared shared;
  };

  static Pair generate(const KeySeed& seed);
  // Errors: BAD_FORMAT for a public key with unreduced coefficients.
  static Result<Encapsulated> encapsulate(const Public& pk, const EncapsSeed& seed);
  // Errors: BAD_LENGTH unless CIPHERTEXT_BYTES are given.
  static Result<Shared> decapsulate(const Secret& secret, Bytes ciphertext);
};

struct XWing {
  static constexpr size_t CIPHERTEXT_BYTES = 1120;
  using Public = Id<struct XWingPublicTag, 1216>;
  using Secret = Key<struct XWingSecretTag, 32>;  // also the seed of the key pair
  using Shared = Key<struct XWingSharedTag, 32>;
  using EncapsSeed = Key<struct XWingEncapsSeedTag, 64>;

  struct Encapsulated {
    Buffer ciphertext;
    Shared shared;
  };

  static Public publicOf(const Secret& secret);
  // Errors: BAD_FORMAT for a public key that ML-KEM or X25519 refuses.
  static Result<Encapsulated> encapsulate(const Public& pk, const EncapsSeed& seed);
  // Errors: BAD_LENGTH unless CIPHERTEXT_BYTES are given; SMALL_ORDER for its X25519 part.
  static Result<Shared> decapsulate(const Secret& secret, Bytes ciphertext);
};

}  // namespace hearth::crypto
