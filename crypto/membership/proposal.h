#pragma once
// What takes the signatures of two admins (SECURITY.md §5.2), before it has them. One admin asks, and the
// user of another agrees to what the op is to say; the op itself is drafted and signed by both once both
// are there, on top of what is known then (docs/adr/0070).
//
//   u8 1 | b[32] circle_id | b[32] author | b[16] nonce | u8 kind | var16 payload
//   id = the first 16 bytes of H("hearth/proposal/v1", all of it)
//
// The payload is that of SECURITY.md §5.3 without what depends on when it is signed: an Add has no grants,
// a Remove names no newest op, and a policy stands in the clear (policy.h): links carry it between admins alone.

#include "crypto/membership/policy.h"

namespace hearth::crypto {

// The newest suite that this program speaks (SECURITY.md §2). There is one.
constexpr uint8_t SUITE_NEWEST = 1;

using ProposalId = Id<struct ProposalTag, 16>;
using ProposalNonce = Id<struct ProposalNonceTag, 16>;

struct Proposal {
  static constexpr size_t BYTES_MAX = 2'560;

  CircleId circle;
  DeviceId author;  // of the op to be
  ProposalNonce nonce;
  Payload payload;

  Buffer encode() const;
  ProposalId id() const;

  // Errors: BAD_FORMAT, BAD_LENGTH, BAD_VERSION; for a payload that nobody cosigns and for a policy that
  // says nothing, too.
  static Result<Proposal> decode(Bytes bytes);

  // The payload as it is agreed to.
  static Payload agreedForm(Payload payload);

  // Whether `cosigner` may sign it: both are admins, it takes two of them, and the circle as `log` knows it would follow. A policy is to be the next one, and a suite newer than that in force and one that this
  // program speaks.
  // Errors: NOT_AUTHORISED; those of MembershipLog::wouldApply.
  Result<void> checkIn(const MembershipLog& log, const DeviceId& cosigner) const;

  // Whether the op says this and no more, in the name of its author and that cosigner alone. `epochs` opens
  // what is sealed in it.
  bool isSaidBy(const Op& op, const DeviceId& cosigner, const EpochKeys& epochs) const;
};

}  // namespace hearth::crypto
