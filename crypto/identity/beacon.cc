#include "crypto/identity/beacon.h"

namespace hearth::crypto {

namespace {

using BeaconKey = Key<struct BeaconKeyTag, 32>;

Beacon beaconUnder(Bytes secret, const EpochName& epoch, const DeviceId& device, uint64_t slot) {
  auto key =
      derive<BeaconKey>(secret, "hearth/beacon/v1", {epoch.circle.asBytes(), epoch.id.asBytes()});
  return mac16(key.reveal(), "hearth/beacon-id/v1", {device.asBytes(), Little(slot).asBytes()});
}

}  // namespace

Beacon beaconOf(
    const EpochSecret& secret, const EpochName& epoch, const DeviceId& device, uint64_t slot) {
  return beaconUnder(secret.reveal(), epoch, device, slot);
}

Beacon beaconOf(const VaultPsk& psk, const EpochName& epoch, const DeviceId& vault, uint64_t slot) {
  return beaconUnder(psk.reveal(), epoch, vault, slot);
}

}  // namespace hearth::crypto
