#pragma once
// Makes the ops by which a device changes its circle. Each is to be added to the author's own log,
// stored, and passed on; none is checked here for authority.

#include "crypto/membership/epoch-keys.h"

namespace hearth::crypto {

// The first op of a new circle. `wallMs`: Unix time, for display.
SealedOp authorGenesis(const RecoveryKeys& recovery, const DeviceKeys& admin, const Bundle& bundle,
    int64_t wallMs, Entropy& entropy);

// A device that consented by `joinEnvelope`; it is granted the current epoch's secret if `epochs`
// holds it (a VAULT: its PSK).
// Errors: BAD_FORMAT when the device's X-Wing key cannot be used.
Result<SealedOp> authorAdd(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const Bundle& bundle, Bytes bundleEnvelope, Bytes joinEnvelope,
    Role role, int64_t wallMs, Entropy& entropy);

SealedOp authorRemove(const MembershipLog& log, const DeviceKeys& author, const DeviceId& target,
    RemoveReason reason, int64_t wallMs);

// A new epoch with a fresh secret, sealed to everybody who has a part in the circle now.
// Errors: BAD_FORMAT when a recipient's X-Wing key cannot be used.
Result<SealedOp> authorEpoch(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, int64_t wallMs, Entropy& entropy);

}  // namespace hearth::crypto
