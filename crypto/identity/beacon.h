#pragma once
// What a device advertises on a local network: a value that only its circle can connect with it, and
// that changes every quarter of an hour. A hint where to dial, never a proof.

#include "crypto/identity/circle-keys.h"

namespace hearth::crypto {

using Beacon = Mac16;

constexpr uint64_t BEACON_SLOT_S = 900;

// Clocks differ: a listener tries the slots before and after too.
constexpr uint64_t beaconSlot(uint64_t unixS) { return unixS / BEACON_SLOT_S; }

Beacon beaconOf(
    const EpochSecret& secret, const EpochName& epoch, const DeviceId& device, uint64_t slot);

// A VAULT advertises under its own PSK.
Beacon beaconOf(const VaultPsk& psk, const EpochName& epoch, const DeviceId& vault, uint64_t slot);

}  // namespace hearth::crypto
