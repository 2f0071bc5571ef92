#include "crypto/membership/authority.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

bool isRecovery(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(recovery, state.recovery) return recovery->id == id;
  return false;
}

bool isActiveAdmin(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(member, state.find(id)) return member->isActive() && member->role == Role::ADMIN;
  return false;
}

bool isActive(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(member, state.find(id)) return member->isActive();
  return false;
}

bool isSuspended(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(member, state.find(id)) return member->isSuspended();
  return false;
}

bool isAdmin(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(member, state.find(id)) return member->role == Role::ADMIN;
  return false;
}

Row rowOf(const CircleState& state, const SetRolePayload& payload) {
  if (payload.role == Role::ADMIN) return Row::MAKES_ADMIN;
  return isAdmin(state, payload.target) ? Row::UNMAKES_ADMIN : Row::ANY_ADMIN;
}

// The least weight that a row of ADMINs' ops asks for.
uint32_t weightNeeded(const CircleState& state, const OpRecord& record, Row row) {
  auto admins = state.countAdmins();
  if (admins == 0) return WEIGHT_RECOVERY;
  if (row == Row::ANY_ADMIN) return 1;
  if (row == Row::MAKES_ADMIN) return state.locked ? WEIGHT_RECOVERY : admins == 1 ? 1 : 2;
  uint32_t needed = admins == 1 ? WEIGHT_RECOVERY : admins == 2 ? 1 : 2;
  auto* remove = record.as<RemovePayload>();
  if (remove == nullptr || !isSuspended(state, remove->target)) return needed;
  return std::min(needed, static_cast<uint32_t>(state.countActiveAdmins()));
}

// Judged again, an op on a device that is not there any more has no row to be in.
bool isTargetThere(const CircleState& state, const OpRecord& record) {
  if (auto* remove = record.as<RemovePayload>()) return state.devices.contains(remove->target);
  if (auto* set = record.as<SetRolePayload>()) return state.devices.contains(set->target);
  return true;
}

bool hasRoomFor(const CircleState& state, Role role) {
  return role != Role::ADMIN || state.countAdmins() < ADMINS_MAX;
}

bool isNew(const CircleState& state, const OpRecord& record) {
  return !state.devices.contains(record.bundle->bundle.id());
}

bool isGood(const CircleState& state, const OpRecord& record, const AddPayload& payload) {
  return isNew(state, record) && state.countActive() < DEVICES_MAX &&
      state.idsSinceReset < DEVICE_IDS_MAX && hasRoomFor(state, payload.role);
}

bool isGood(const CircleState& state, const OpRecord&, const RemovePayload& payload) {
  return isActive(state, payload.target) || isSuspended(state, payload.target);
}

bool isGood(const CircleState& state, const OpRecord&, const SetRolePayload& payload) {
  KJ_IF_MAYBE(target, state.find(payload.target)) {
    return target->isActive() && target->role != payload.role && hasRoomFor(state, payload.role);
  }
  return false;
}

bool isGood(const CircleState& state, const OpRecord& record, const RotateKeysPayload&) {
  return isNew(state, record) && state.idsSinceReset < DEVICE_IDS_MAX;
}

bool isGood(const CircleState& state, const OpRecord& record, const BundleUpdatePayload&) {
  auto& bundle = record.bundle->bundle;
  KJ_IF_MAYBE(member, state.find(record.op().author)) {
    return bundle.keys == member->bundle().keys && bundle.version == member->bundle().version + 1;
  }
  return false;
}

bool isGood(const CircleState& state, const OpRecord&, const EpochPayload& payload) {
  uint64_t previousN = 0;
  EpochId previous;
  KJ_IF_MAYBE(current, state.epoch) previousN = current->n, previous = current->id;
  std::map<DeviceId, Sealed> sealed;
  for (auto& seal: payload.seals) sealed[seal.recipient] = seal.what;
  return payload.n == previousN + 1 && payload.previous == previous &&
      sealed == epochRecipients(state);
}

bool isGood(const CircleState& state, const OpRecord&, const AttestEnrollPayload& payload) {
  return isActive(state, payload.target);
}

bool isGood(const CircleState& state, const OpRecord&, const ReinstatePayload& payload) {
  return isSuspended(state, payload.target);
}

bool isGood(const CircleState& state, const OpRecord& record, const CheckpointPayload& payload) {
  return payload.ops == record.past.count() && payload.stateHash == state.hash();
}

bool isGood(const CircleState& state, const OpRecord& record, const RecoveryResetPayload& payload) {
  return isNew(state, record) &&
      !state.recoveryKeys.contains(recoveryId(payload.recoveryEd, payload.recoveryXw));
}

// PolicySet, PluginRevoke, DeviceMeta, MinSuite, Leave always have something to do; Genesis was
// checked when the log took it.
template <typename PayloadType>
bool isGood(const CircleState&, const OpRecord&, const PayloadType&) {
  return true;
}

}  // namespace

Row rowIn(const CircleState& state, const OpRecord& record) {
  auto ifAdmin = [&](const DeviceId& id, Row row) {
    return isAdmin(state, id) ? row : Row::ANY_ADMIN;
  };
  if (auto* add = record.as<AddPayload>())
    return add->role == Role::ADMIN ? Row::MAKES_ADMIN : Row::ANY_ADMIN;
  if (auto* set = record.as<SetRolePayload>()) return rowOf(state, *set);
  if (auto* remove = record.as<RemovePayload>()) return ifAdmin(remove->target, Row::UNMAKES_ADMIN);
  if (auto* reinstate = record.as<ReinstatePayload>())
    return ifAdmin(reinstate->target, Row::MAKES_ADMIN);
  switch (record.op().kind) {
    case OpKind::POLICY_SET:
    case OpKind::MIN_SUITE:
      return Row::MAKES_ADMIN;
    case OpKind::ROTATE_KEYS:
    case OpKind::BUNDLE_UPDATE:
    case OpKind::DEVICE_META:
    case OpKind::LEAVE:
      return Row::OWN_KEY;
    case OpKind::GENESIS:
    case OpKind::RECOVERY_RESET:
      return Row::RECOVERY;
    default:
      return Row::ANY_ADMIN;
  }
}

uint32_t weightNeeded(const CircleState& state, const Payload& payload) {
  OpRecord record{.payload = payload};
  record.sealed.op.kind = kindOf(payload);
  auto row = rowIn(state, record);
  if (row == Row::RECOVERY) return WEIGHT_RECOVERY;
  return row == Row::OWN_KEY ? 1 : weightNeeded(state, record, row);
}

uint32_t weightIn(const CircleState& state, const OpRecord& record) {
  uint32_t admins = 0;
  for (auto& signer: record.sealed.signers()) {
    if (isRecovery(state, signer)) return WEIGHT_RECOVERY;
    if (isActiveAdmin(state, signer)) ++admins;
  }
  return admins;
}

bool hasAuthority(const CircleState& state, const OpRecord& record) {
  auto& op = record.op();
  if (op.kind == OpKind::GENESIS) return true;
  auto row = rowIn(state, record);
  if (row == Row::RECOVERY) return op.cosigners.empty() && isRecovery(state, op.author);
  if (row == Row::OWN_KEY) return op.cosigners.empty() && isActive(state, op.author);
  bool entitled = std::ranges::all_of(record.sealed.signers(),
      [&](auto& signer) { return isRecovery(state, signer) || isActiveAdmin(state, signer); });
  return entitled && isTargetThere(state, record) &&
      weightIn(state, record) >= weightNeeded(state, record, row);
}

bool hasGoodContent(const CircleState& state, const OpRecord& record) {
  return std::visit([&](auto& payload) { return isGood(state, record, payload); }, record.payload);
}

}  // namespace hearth::crypto
