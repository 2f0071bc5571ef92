#pragma once
// One operation of the membership log: what an author, with the cosigners it lists, says about the
// circle. Body, type hearth/op/v1 (docs/PROTOCOL.md, "Membership"):
//
//   u8 version 1 | u8 suite 1 | u8 kind | u8 n_signers | b[32] circle_id | b[32] author | u64 seq |
//   b[32] prev_own | u64 lamport | i64 wall_ms | list8<b[32]> parents | cosigners | var32 payload

#include "core/base/ids.h"
#include "crypto/primitives/envelope.h"

#include <vector>

namespace hearth::crypto {

// What an op does (SECURITY.md §5.3); payloads.h has what each says.
enum class OpKind : uint8_t {
  GENESIS = 1,
  ADD,
  REMOVE,
  SET_ROLE,
  ROTATE_KEYS,
  BUNDLE_UPDATE,
  EPOCH,
  POLICY_SET,
  PLUGIN_REVOKE,
  DEVICE_META,
  ATTEST_ENROLL,
  REINSTATE,
  CHECKPOINT,
  RECOVERY_RESET,
  MIN_SUITE,
  LEAVE,
};

struct Op {
  static constexpr size_t PARENTS_MAX = 16;
  static constexpr size_t SIGNERS_MAX = 3;
  static constexpr size_t PAYLOAD_BYTES_MAX = 98'304;
  static constexpr size_t BODY_BYTES_MAX = PAYLOAD_BYTES_MAX + 1'024;
  static constexpr size_t ENVELOPE_BYTES_MAX = BODY_BYTES_MAX + 512;

  OpKind kind = OpKind::GENESIS;
  CircleId circle;  // zero in Genesis
  DeviceId author;
  uint64_t seq = 0;  // 1, 2, 3 ... per author
  OpHash prevOwn;    // zero for seq 1; counts as a parent
  uint64_t lamport = 0;
  int64_t wallMs = 0;  // a hint for display
  std::vector<OpHash> parents;
  std::vector<DeviceId> cosigners;
  std::vector<kj::byte> payload;

  Buffer body() const;

  // Errors: BAD_FORMAT, BAD_VERSION (another version, suite or kind), BAD_LENGTH.
  static Result<Op> parse(Bytes body);
};

// An op as it travels and is stored. Its signatures have not been checked: whose keys they need only
// the log knows.
struct SealedOp {
  Op op;
  OpHash hash;
  std::vector<Signed> signatures;
  std::vector<kj::byte> envelope;

  std::vector<DeviceId> signers() const;  // the author, then the cosigners

  // Every op this one directly rests on: its parents and prevOwn.
  std::vector<OpHash> before() const;

  // Errors: those of Op::parse and readEnvelope; BAD_SIGNATURE when the signers are not those that
  // the body lists, in its order.
  static Result<SealedOp> open(Bytes envelope);
};

OpHash opHash(Bytes body);
CircleId circleIdOf(Bytes genesisBody);

// Signs an op that its author signs alone.
SealedOp sealOp(const Op& op, const SignSecret& author);

// Signs an op by its author and, in the order in which it lists them, its cosigners.
SealedOp sealOp(const Op& op, kj::ArrayPtr<const SignSecret* const> signers);

// Signs an op by its author; its cosigners have signed its body elsewhere, in the order in which it
// lists them.
SealedOp sealOp(const Op& op, const SignSecret& author, kj::ArrayPtr<const Signature> cosigned);

}  // namespace hearth::crypto
