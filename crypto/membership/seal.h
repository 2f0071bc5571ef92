#pragma once
// Seals: how an op carries a secret to one device, so that only that device can open it.
//
//   seal   b[32] recipient | u8 what | b[1120] ct | b[48] box         1201 bytes
//   grant  b[32] epoch_id | seal

#include "core/base/flat.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/primitives/exchange.h"

#include <vector>

namespace hearth::crypto {

// What a seal holds: the epoch's secret, or the VAULT's PSK made from it.
enum class Sealed : uint8_t { EPOCH_SECRET = 1, VAULT_PSK = 2 };

struct Seal {
  static constexpr size_t BOX_BYTES = 48;
  static constexpr size_t BYTES = 32 + 1 + XWing::CIPHERTEXT_BYTES + BOX_BYTES;

  DeviceId recipient;
  Sealed what = Sealed::EPOCH_SECRET;
  std::vector<kj::byte> ct;
  std::vector<kj::byte> box;

  void write(FlatWriter& out) const;
  static Seal read(FlatReader& in);
};

// An epoch's secret, given to a device that came after the epoch.
struct Grant {
  static constexpr size_t BYTES = EpochId::SIZE + Seal::BYTES;

  EpochId epoch;
  Seal seal;
};

// What makes a seal's key its own: the op that carries it, and the epoch that its secret is of.
struct SealContext {
  CircleId circle;
  DeviceId author;
  uint64_t seq = 0;
  OpHash prevOwn;
  Digest commit;
};

using SealKey = Key<struct SealKeyTag, 32>;
SealKey sealKey(const SealContext& context, const DeviceId& recipient, Sealed what,
    const XWing::Shared& shared);

// Errors: BAD_FORMAT for an unusable public key.
Result<Seal> makeSeal(const SealContext& context, const DeviceId& recipient,
    const XWing::Public& pk, Sealed what, Bytes secret, const XWing::EncapsSeed& encaps);

// Errors: DECRYPT_FAILED, SMALL_ORDER, BAD_LENGTH.
Result<Secret> openSeal(const SealContext& context, const Seal& seal, const XWing::Secret& own);

}  // namespace hearth::crypto
