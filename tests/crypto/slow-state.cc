#include "tests/crypto/slow-state.h"

namespace hearth::crypto::slow {

namespace {
bool hasStatus(const State& state, const DeviceId& id, MemberStatus status) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.status == status;
}
}  // namespace

bool isActiveAdmin(const State& state, const DeviceId& id) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.role == Role::ADMIN &&
      found->second.status == MemberStatus::ACTIVE;
}
bool isAdmin(const State& state, const DeviceId& id) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.role == Role::ADMIN;
}
bool isActive(const State& state, const DeviceId& id) {
  return hasStatus(state, id, MemberStatus::ACTIVE);
}
bool isSuspended(const State& state, const DeviceId& id) {
  return hasStatus(state, id, MemberStatus::SUSPENDED);
}
bool isRecovery(const State& state, const DeviceId& id) { return state.recovery == id; }

std::map<DeviceId, Sealed> recipientsIn(const State& state) {
  std::map<DeviceId, Sealed> recipients;
  if (state.recovery) recipients[*state.recovery] = Sealed::EPOCH_SECRET;
  for (auto& [id, device]: state.devices) {
    if (device.status != MemberStatus::ACTIVE) continue;
    recipients[id] = device.role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
  }
  return recipients;
}

Ops both(const Ops& a, const Ops& b) {
  Ops common;
  for (auto o: a) {
    if (b.contains(o)) common.insert(o);
  }
  return common;
}

}  // namespace hearth::crypto::slow
