#pragma once
// The payloads of membership ops, and the seals in which they carry secrets:
//
//   Genesis  rec_ed_pk | b[1216] rec_xw_pk | var16 bundle of first admin | b[32] random | u8 min_suite
//   Add      var16 bundle | u8 role | var16 join envelope | list8<grant>
//   Remove   b[32] target | u8 reason | u64 last_seq | b[32] last_hash
//   Epoch    u64 n | b[32] prev_epoch_id | b[32] commit | b[48] prev_wrapped | list16<seal>
//   seal     b[32] recipient | u8 what | b[1120] ct | b[48] box          grant = b[32] epoch_id | seal

#include "crypto/identity/bundle.h"
#include "crypto/identity/circle-keys.h"
#include "crypto/identity/recovery.h"
#include "crypto/identity/role.h"

#include <vector>

namespace hearth::crypto {

constexpr size_t DEVICES_MAX = 64;  // active in a circle

// What a seal holds: the epoch's secret, or the VAULT's PSK made from it.
enum class Sealed : uint8_t { EPOCH_SECRET = 1, VAULT_PSK = 2 };

struct Seal {
  static constexpr size_t BYTES = 32 + 1 + XWing::CIPHERTEXT_BYTES + 48;

  DeviceId recipient;
  Sealed what = Sealed::EPOCH_SECRET;
  std::vector<kj::byte> ct;
  std::vector<kj::byte> box;
};

// What makes a seal's key its own: the op that carries it, and the epoch that its secret is of.
struct SealContext {
  CircleId circle;
  DeviceId author;
  uint64_t seq = 0;
  OpHash prevOwn;
  Digest commit;
};

// Errors: BAD_FORMAT for an unusable public key.
Result<Seal> makeSeal(const SealContext& context, const DeviceId& recipient,
    const XWing::Public& pk, Sealed what, Bytes secret, const XWing::EncapsSeed& encaps);

// Errors: DECRYPT_FAILED, SMALL_ORDER, BAD_LENGTH.
Result<Secret> openSeal(const SealContext& context, const Seal& seal, const XWing::Secret& own);

struct Grant {
  EpochId epoch;
  Seal seal;
};

struct GenesisPayload {
  SignPublic recoveryEd;
  XWing::Public recoveryXw;
  std::vector<kj::byte> bundleEnvelope;
  Digest random;
  uint8_t minSuite = 1;
};

struct AddPayload {
  std::vector<kj::byte> bundleEnvelope;
  Role role = Role::MEMBER;
  std::vector<kj::byte> joinEnvelope;
  std::vector<Grant> grants;
};

enum class RemoveReason : uint8_t { LOST = 1, STOLEN = 2, RETIRED = 3, EQUIVOCATION = 4 };

struct RemovePayload {
  DeviceId target;
  RemoveReason reason = RemoveReason::LOST;
  uint64_t lastSeq = 0;  // the newest op of the target in the past of this one; 0 if none
  OpHash lastHash;
};

struct EpochPayload {
  static constexpr size_t PREV_WRAPPED_BYTES = 48;

  uint64_t n = 1;
  EpochId previous;  // zero when n = 1
  Digest commit;
  kj::byte prevWrapped[PREV_WRAPPED_BYTES] = {};
  std::vector<Seal> seals;  // ascending by recipient
};

std::vector<kj::byte> encode(const GenesisPayload& payload);
std::vector<kj::byte> encode(const AddPayload& payload);
std::vector<kj::byte> encode(const RemovePayload& payload);
std::vector<kj::byte> encode(const EpochPayload& payload);

// Errors of all: BAD_FORMAT.
Result<GenesisPayload> decodeGenesis(Bytes payload);
Result<AddPayload> decodeAdd(Bytes payload);
Result<RemovePayload> decodeRemove(Bytes payload);
Result<EpochPayload> decodeEpoch(Bytes payload);

}  // namespace hearth::crypto
