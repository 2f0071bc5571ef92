#include "crypto/membership/authority.h"

#include "crypto/identity/join.h"

namespace hearth::crypto {

namespace {

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

bool isRecovery(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(recovery, state.recovery) return recovery->id == id;
  return false;
}

bool isActiveAdmin(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(member, state.find(id)) return member->isActive() && member->role == Role::ADMIN;
  return false;
}

// The least weight that the op's row asks for.
uint32_t weightNeeded(const CircleState& state, const OpRecord& record) {
  auto admins = state.countAdmins();
  if (admins == 0) return WEIGHT_RECOVERY;
  if (record.removesAdmin) return admins == 1 ? WEIGHT_RECOVERY : admins == 2 ? 1 : 2;
  if (record.raisesAdmin) return state.locked ? WEIGHT_RECOVERY : admins == 1 ? 1 : 2;
  return 1;
}

bool goodAdd(const CircleState& state, const OpRecord& record, const CircleId& circle) {
  auto& payload = std::get<AddPayload>(record.payload);
  KJ_IF_MAYBE(bundle, record.bundle) {
    auto join = Join::open(view(payload.joinEnvelope), *bundle);
    bool consents = join.has_value() && join->circle == circle &&
        join->admin == record.op().author && join->role == payload.role;
    return consents && !state.devices.contains(bundle->id()) && state.countActive() < DEVICES_MAX &&
        state.devices.size() < DEVICE_IDS_MAX &&
        (payload.role != Role::ADMIN || state.countAdmins() < ADMINS_MAX);
  }
  return false;
}

bool goodRemove(const CircleState& state, const OpRecord& record) {
  KJ_IF_MAYBE(target, state.find(record.removal().target)) {
    return target->isActive() || target->status == MemberStatus::SUSPENDED;
  }
  return false;
}

bool goodEpoch(const CircleState& state, const OpRecord& record) {
  auto& payload = std::get<EpochPayload>(record.payload);
  uint64_t previousN = 0;
  EpochId previous;
  KJ_IF_MAYBE(current, state.epoch) previousN = current->n, previous = current->id;
  std::map<DeviceId, Sealed> sealed;
  for (auto& seal: payload.seals) sealed[seal.recipient] = seal.what;
  return payload.n == previousN + 1 && payload.previous == previous &&
      sealed == epochRecipients(state);
}

}  // namespace

uint32_t weightIn(const CircleState& state, const OpRecord& record) {
  uint32_t admins = 0;
  for (auto& signer: record.sealed.signers()) {
    if (isRecovery(state, signer)) return WEIGHT_RECOVERY;
    if (isActiveAdmin(state, signer)) ++admins;
  }
  return admins;
}

bool hasAuthority(const CircleState& state, const OpRecord& record) {
  for (auto& signer: record.sealed.signers()) {
    if (!isRecovery(state, signer) && !isActiveAdmin(state, signer)) return false;
  }
  return weightIn(state, record) >= weightNeeded(state, record);
}

bool isAuthorised(const CircleState& state, const OpRecord& record, const CircleId& circle) {
  // Genesis was checked when the log took it: it is the log's first op, or no op of it.
  if (record.op().kind == OpKind::GENESIS) return true;
  if (!hasAuthority(state, record)) return false;
  switch (record.op().kind) {
    case OpKind::ADD:
      return goodAdd(state, record, circle);
    case OpKind::REMOVE:
      return goodRemove(state, record);
    case OpKind::EPOCH:
      return goodEpoch(state, record);
    default:
      return false;
  }
}

void classify(const CircleState& state, OpRecord& record) {
  if (auto* add = std::get_if<AddPayload>(&record.payload))
    record.raisesAdmin = add->role == Role::ADMIN;
  if (!record.isRemoval()) return;
  KJ_IF_MAYBE(target, state.find(record.removal().target)) {
    record.removesAdmin = target->role == Role::ADMIN;
  }
}

std::map<DeviceId, Sealed> epochRecipients(const CircleState& state) {
  std::map<DeviceId, Sealed> recipients;
  KJ_IF_MAYBE(recovery, state.recovery) recipients[recovery->id] = Sealed::EPOCH_SECRET;
  for (auto& [id, member]: state.devices) {
    if (!member.isActive()) continue;
    recipients[id] = member.role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
  }
  return recipients;
}

}  // namespace hearth::crypto
