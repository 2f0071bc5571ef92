#include "crypto/membership/beacons.h"

namespace hearth::crypto {

kj::Maybe<Beacon> ownBeacon(
    const MembershipLog& log, const EpochKeys& keys, const DeviceId& self, uint64_t slot) {
  auto& state = log.state();
  if (!state.find(self).map([](auto& member) { return member.isActive(); }).orDefault(false))
    return nullptr;
  KJ_IF_MAYBE(epoch, state.epoch) {
    EpochName name{log.circle(), epoch->id};
    KJ_IF_MAYBE(psk, keys.ownVaultPsk(epoch->id)) return beaconOf(*psk, name, self, slot);
    KJ_IF_MAYBE(secret, keys.secret(epoch->id)) return beaconOf(*secret, name, self, slot);
  }
  return nullptr;
}

std::vector<DeviceBeacon> beaconsOfOthers(
    const MembershipLog& log, const EpochKeys& keys, const DeviceId& self, uint64_t slot) {
  std::vector<DeviceBeacon> beacons;
  auto addEpoch = [&](const EpochName& name, const EpochPayload& epoch, const EpochSecret& secret) {
    for (auto& [id, member]: log.state().devices) {
      if (id == self || !member.isActive()) continue;
      auto beacon = member.role == Role::VAULT
          ? beaconOf(vaultPsk(secret, log.circle(), epoch.commit, id), name, id, slot)
          : beaconOf(secret, name, id, slot);
      beacons.push_back({id, beacon});
    }
  };
  EpochId next;
  KJ_IF_MAYBE(current, log.state().epoch) next = current->id;
  for (size_t i = 0; i < BEACON_EPOCHS_MAX; ++i) {
    auto* payload = epochPayload(log, next);
    if (payload == nullptr) break;
    KJ_IF_MAYBE(secret, keys.secret(next)) addEpoch({log.circle(), next}, *payload, *secret);
    next = payload->previous;
  }
  return beacons;
}

}  // namespace hearth::crypto
