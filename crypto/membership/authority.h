#pragma once
// Who may do what (SECURITY.md §5.2), judged in one given state.

#include "crypto/membership/state.h"

namespace hearth::crypto {

constexpr size_t ADMINS_MAX = 16;
constexpr size_t DEVICE_IDS_MAX = 512;  // since Genesis or the last RecoveryReset

Row rowIn(const CircleState& state, const OpRecord& record);

// 3 if signed by the recovery key, else the number of signers that are active admins.
uint32_t weightIn(const CircleState& state, const OpRecord& record);

// The least weight that an op needs which says this: a number of admins, or WEIGHT_RECOVERY.
uint32_t weightNeeded(const CircleState& state, const Payload& payload);

// Row, weight and signers: what is judged again when more ops are known.
bool hasAuthority(const CircleState& state, const OpRecord& record);

// Whether the op has something to do, and its content is good: limits, the recipients of an epoch.
bool hasGoodContent(const CircleState& state, const OpRecord& record);

}  // namespace hearth::crypto
