#pragma once
// What an op must be before it is stored (SECURITY.md §5.1). All of it depends on the op's past
// alone, so every device refuses the same ops, and what rests on them.

#include "crypto/membership/resolve.h"

namespace hearth::crypto {

// Ops that one author may write per Epoch of others, and one such allowance to begin with.
constexpr size_t ADMIN_OPS_MAX = 1'024;
constexpr size_t MEMBER_OPS_MAX = 64;

// The author's chain and the lamport number.
// Errors: EQUIVOCATION when its past holds an op of the author with this seq or a later one;
// BAD_FORMAT.
Result<void> checkChain(const OpTable& table, const OpRecord& record);

// Errors: LIMIT_EXCEEDED when its author has written too much.
Result<void> checkAllowance(const OpTable& table, const OpRecord& record, const Resolution& past);

// Errors: BAD_SIGNATURE when a signer is unknown or has not signed; BAD_FORMAT.
Result<void> checkSignatures(const OpRecord& record, const CircleState& past);

// A new device's consent, or that of rotated keys.
// Errors: BAD_SIGNATURE for one to another circle, admin or role; those of Join::open.
Result<void> checkConsent(const OpRecord& record, const CircleState& past, const CircleId& circle);

}  // namespace hearth::crypto
