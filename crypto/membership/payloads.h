#pragma once
// What each kind of membership op says (SECURITY.md §5.3):
//
//   1 Genesis        rec_ed_pk | b[1216] rec_xw_pk | var16 bundle of first admin | b[32] random | u8 min_suite
//   2 Add            var16 bundle | u8 role | var16 join envelope | list8<grant>
//   3 Remove         b[32] target | u8 reason | u64 last_seq | b[32] last_hash
//   4 SetRole        b[32] target | u8 role
//   5 RotateKeys     var16 new bundle | var16 join envelope signed by the new key | list8<grant>
//   6 BundleUpdate   var16 bundle
//   7 Epoch          u64 n | b[32] prev_epoch_id | b[32] commit | b[48] prev_wrapped | list16<seal>
//   8 PolicySet      u64 version | var32 sealed
//   9 PluginRevoke   u8 what | b[32] value
//  10 DeviceMeta     var32 sealed
//  11 AttestEnroll   b[32] target | u8 tier | var16 ak | b[32] ek | list8<u8 pcr, b[32] value>
//  12 Reinstate      b[32] target
//  13 Checkpoint     b[32] state_hash | u32 ops in its past
//  14 RecoveryReset  rec_ed_pk | b[1216] rec_xw_pk | var16 bundle of new first admin | b[32] newest epoch
//  15 MinSuite       u8
//  16 Leave          nothing
//
// Envelopes and sealed fields inside are carried as bytes and opened by those who judge.

#include "crypto/identity/bundle.h"
#include "crypto/identity/recovery.h"
#include "crypto/identity/role.h"
#include "crypto/membership/op.h"
#include "crypto/membership/seal.h"

#include <variant>

namespace hearth::crypto {

constexpr size_t DEVICES_MAX = 64;  // active in a circle

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

struct SetRolePayload {
  DeviceId target;
  Role role = Role::MEMBER;
};

struct RotateKeysPayload {
  std::vector<kj::byte> bundleEnvelope;
  std::vector<kj::byte> joinEnvelope;
  std::vector<Grant> grants;
};

struct BundleUpdatePayload {
  std::vector<kj::byte> bundleEnvelope;
};

struct EpochPayload {
  static constexpr size_t PREV_WRAPPED_BYTES = 48;

  uint64_t n = 1;
  EpochId previous;  // zero when n = 1
  Digest commit;
  kj::byte prevWrapped[PREV_WRAPPED_BYTES] = {};
  std::vector<Seal> seals;  // ascending by recipient
};

struct PolicySetPayload {
  uint64_t version = 0;
  std::vector<kj::byte> sealed;
};

enum class Revoked : uint8_t { MEASUREMENT = 1, SIGNER_KEY = 2, MODEL = 3 };

struct PluginRevokePayload {
  Revoked what = Revoked::MEASUREMENT;
  Digest value;

  auto operator<=>(const PluginRevokePayload&) const = default;
};

struct DeviceMetaPayload {
  std::vector<kj::byte> sealed;
};

struct AttestEnrollPayload {
  struct Pcr {
    uint8_t index = 0;
    Digest value;
  };

  DeviceId target;
  uint8_t tier = 0;
  std::vector<kj::byte> attestationKey;  // SubjectPublicKeyInfo
  Digest endorsementCertificate;         // its SHA-256
  std::vector<Pcr> pcrs;                 // ascending by index
};

struct ReinstatePayload {
  DeviceId target;
};

struct CheckpointPayload {
  Digest stateHash;
  uint32_t ops = 0;  // in its causal past
};

struct RecoveryResetPayload {
  SignPublic recoveryEd;
  XWing::Public recoveryXw;
  std::vector<kj::byte> bundleEnvelope;
  EpochId newestEpoch;  // that its author knew; zero if none
};

struct MinSuitePayload {
  uint8_t suite = 1;
};

struct LeavePayload {};

// A payload's place is its kind.
using Payload = std::variant<std::monostate, GenesisPayload, AddPayload, RemovePayload,
    SetRolePayload, RotateKeysPayload, BundleUpdatePayload, EpochPayload, PolicySetPayload,
    PluginRevokePayload, DeviceMetaPayload, AttestEnrollPayload, ReinstatePayload,
    CheckpointPayload, RecoveryResetPayload, MinSuitePayload, LeavePayload>;

OpKind kindOf(const Payload& payload);
std::vector<kj::byte> encode(const Payload& payload);

// Errors: BAD_FORMAT.
Result<Payload> decodePayload(OpKind kind, Bytes payload);

// The bundle that the payload brings in or changes; none for kinds without one.
kj::Maybe<Bytes> bundleEnvelopeIn(const Payload& payload);
// The secrets that it grants.
kj::ArrayPtr<const Grant> grantsIn(const Payload& payload);

}  // namespace hearth::crypto
