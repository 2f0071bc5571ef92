#pragma once
// The beacons of a circle (identity/beacon.h): which one this device advertises in a slot, and whose
// the others are, so that a value that is heard leads to the device that said it.

#include "crypto/identity/beacon.h"
#include "crypto/membership/epoch-keys.h"

namespace hearth::crypto {

// A device that was away when an epoch began still advertises under the one before.
constexpr size_t BEACON_EPOCHS_MAX = 4;  // the newest ones; DEVICES_MAX values in each

struct DeviceBeacon {
  DeviceId device;
  Beacon beacon;
};

// None where this device was given nothing of the log's current epoch, or has no part in the circle.
kj::Maybe<Beacon> ownBeacon(
    const MembershipLog& log, const EpochKeys& keys, const DeviceId& self, uint64_t slot);

// Of all other active devices. None for a VAULT, which holds no epoch's secret and calls nobody.
std::vector<DeviceBeacon> beaconsOfOthers(
    const MembershipLog& log, const EpochKeys& keys, const DeviceId& self, uint64_t slot);

}  // namespace hearth::crypto
