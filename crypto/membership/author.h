#pragma once
// Makes the ops by which a device changes its circle. Each is to be added to the author's own log,
// stored, and passed on; none is checked here for authority.

#include "crypto/membership/epoch-keys.h"
#include "crypto/membership/sealed-field.h"

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

// The same for an admin that needs others' signatures beside its own: the op is to be signed by its author
// and the cosigners (ascending, without the author). The grants in `payload` are made anew.
Result<Op> draftAdd(const MembershipLog& log, const EpochKeys& epochs, const DeviceId& author,
    std::vector<DeviceId> cosigners, AddPayload payload, int64_t wallMs, Entropy& entropy);

// What a payload says, on top of everything that the log holds, to be signed by its author and the
// cosigners (ascending, without the author).
Op draftChange(const MembershipLog& log, const DeviceId& author, std::vector<DeviceId> cosigners,
    const Payload& payload, int64_t wallMs);

// The author's own keys give way to `next`, a device that was never in the circle: the author's id is
// retired, and its role goes on under the new one. The new keys are granted what the old ones hold.
// Errors: BAD_FORMAT when the new X-Wing key cannot be used.
Result<SealedOp> authorRotate(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const DeviceKeys& next, const Bundle& bundle, int64_t wallMs,
    Entropy& entropy);

// The owner begins the circle anew: everybody is out but `admin`, a device that was never in it, and
// from now on `next` is the recovery key. An Epoch by the admin is to follow at once.
SealedOp authorReset(const MembershipLog& log, const RecoveryKeys& recovery,
    const RecoveryKeys& next, const DeviceKeys& admin, const Bundle& bundle, int64_t wallMs);

// What people call the author. Errors: EPOCH_UNKNOWN when it holds no secret to seal it with.
Result<SealedOp> authorNames(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const DeviceNames& names, int64_t wallMs, Entropy& entropy);

// What an op of that place says to members alone, under the newest epoch's secret.
// Errors: EPOCH_UNKNOWN when `epochs` does not hold it.
Result<std::vector<kj::byte>> sealForMembers(
    const MembershipLog& log, const EpochKeys& epochs, const Op& op, Bytes plain, Entropy& entropy);

// A policy that stands in the clear in `payload` (policy.h), sealed. Errors: EPOCH_UNKNOWN; BAD_FORMAT when
// it does not.
Result<Op> draftPolicy(const MembershipLog& log, const EpochKeys& epochs, const DeviceId& author,
    std::vector<DeviceId> cosigners, PolicySetPayload payload, int64_t wallMs, Entropy& entropy);

// What a Remove of that device says now.
RemovePayload removalOf(const MembershipLog& log, const DeviceId& target, RemoveReason reason);

SealedOp authorRemove(const MembershipLog& log, const DeviceKeys& author, const DeviceId& target,
    RemoveReason reason, int64_t wallMs);

// A new epoch with a fresh secret, sealed to everybody who has a part in the circle now.
// Errors: BAD_FORMAT when a recipient's X-Wing key cannot be used.
Result<SealedOp> authorEpoch(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, int64_t wallMs, Entropy& entropy);

}  // namespace hearth::crypto
