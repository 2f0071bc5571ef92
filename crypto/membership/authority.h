#pragma once
// Who may do what (SECURITY.md §5.2), judged in one given state.

#include "crypto/membership/records.h"

namespace hearth::crypto {

constexpr uint32_t WEIGHT_RECOVERY = 3;
constexpr size_t ADMINS_MAX = 16;
constexpr size_t DEVICE_IDS_MAX = 512;

// 3 if signed by the recovery key, else the number of signers that are active admins.
uint32_t weightIn(const CircleState& state, const OpRecord& record);

// Row, weight and signers of §5.2.
bool hasAuthority(const CircleState& state, const OpRecord& record);

// hasAuthority, and that the op's content is good in that state: consent of a new device, limits,
// the recipients of an epoch.
bool isAuthorised(const CircleState& state, const OpRecord& record, const CircleId& circle);

// Fills raisesAdmin and removesAdmin.
void classify(const CircleState& state, OpRecord& record);

// Whom an Epoch must be sealed to, and what.
std::map<DeviceId, Sealed> epochRecipients(const CircleState& state);

}  // namespace hearth::crypto
