// Who may do what: the table of §5.2, and what an op rests on (§5.4).
#include "tests/crypto/slow-resolve.h"

#include <algorithm>

namespace hearth::crypto::slow {

// The table of §5.2.
Circle::Row Circle::rowIn(const State& state, size_t o) const {
  if (auto* p = as<AddPayload>(o)) return p->role == Role::ADMIN ? Row::MAKE : Row::ANY_ADMIN;
  if (auto* p = as<RemovePayload>(o))
    return isAdmin(state, p->target) ? Row::UNMAKE : Row::ANY_ADMIN;
  if (auto* p = as<SetRolePayload>(o)) {
    if (p->role == Role::ADMIN) return Row::MAKE;
    return isAdmin(state, p->target) ? Row::UNMAKE : Row::ANY_ADMIN;
  }
  if (auto* p = as<ReinstatePayload>(o))
    return isAdmin(state, p->target) ? Row::MAKE : Row::ANY_ADMIN;
  if (as<PolicySetPayload>(o) || as<MinSuitePayload>(o)) return Row::MAKE;
  if (as<GenesisPayload>(o) || as<RecoveryResetPayload>(o)) return Row::RECOVERY;
  bool own = as<RotateKeysPayload>(o) || as<BundleUpdatePayload>(o) || as<DeviceMetaPayload>(o) ||
      as<LeavePayload>(o);
  return own ? Row::OWN : Row::ANY_ADMIN;
}

int Circle::weightIn(const State& state, size_t o) const {
  if (as<GenesisPayload>(o)) return 3;
  int admins = 0;
  for (auto& signer: ops[o].sealed.signers()) {
    if (isRecovery(state, signer)) return 3;
    if (isActiveAdmin(state, signer)) ++admins;
  }
  return admins;
}

// "row, weight and signers"
bool Circle::mayDo(const State& state, size_t o) const {
  if (as<GenesisPayload>(o)) return true;
  auto row = rowIn(state, o);
  if (row == Row::OWN) return op(o).cosigners.empty() && isActive(state, op(o).author);
  if (row == Row::RECOVERY) return op(o).cosigners.empty() && isRecovery(state, op(o).author);
  for (auto& signer: ops[o].sealed.signers()) {
    if (!isActiveAdmin(state, signer) && !isRecovery(state, signer)) return false;
  }
  // "a target of row 2 that is not there: void"
  if (auto* p = as<RemovePayload>(o); p != nullptr && !state.devices.contains(p->target))
    return false;
  if (auto* p = as<SetRolePayload>(o); p != nullptr && !state.devices.contains(p->target))
    return false;
  int admins = 0, active = 0;
  for (auto& [id, device]: state.devices) {
    if (device.role != Role::ADMIN) continue;
    if (device.status == MemberStatus::ACTIVE) ++active;
    if (device.status == MemberStatus::ACTIVE || device.status == MemberStatus::SUSPENDED) ++admins;
  }
  int needed = 1;
  if (row == Row::UNMAKE) needed = admins == 1 ? 3 : admins == 2 ? 1 : 2;
  if (row == Row::MAKE) needed = state.locked ? 3 : admins == 1 ? 1 : 2;
  if (admins == 0) needed = 3;
  auto* remove = as<RemovePayload>(o);
  if (row == Row::UNMAKE && remove != nullptr && isSuspended(state, remove->target))
    needed = std::min(needed, active);
  return weightIn(state, o) >= needed;
}

// "An op with nothing to do in state(op) is void", and the recipients of an Epoch.
bool Circle::hasSomethingToDo(const State& state, size_t o) const {
  if (as<AddPayload>(o) || as<RotateKeysPayload>(o))
    return !state.devices.contains(ops[o].bundle->id());
  if (auto* p = as<RecoveryResetPayload>(o))
    return !state.devices.contains(ops[o].bundle->id()) &&
        state.recovery != recoveryId(p->recoveryEd, p->recoveryXw);
  if (auto* p = as<RemovePayload>(o))
    return isActive(state, p->target) || isSuspended(state, p->target);
  if (auto* p = as<SetRolePayload>(o))
    return isActive(state, p->target) && state.devices.at(p->target).role != p->role;
  if (auto* p = as<AttestEnrollPayload>(o)) return isActive(state, p->target);
  if (auto* p = as<ReinstatePayload>(o)) return isSuspended(state, p->target);
  if (as<BundleUpdatePayload>(o)) {
    auto found = state.devices.find(op(o).author);
    return found != state.devices.end() && ops[o].bundle->id() == op(o).author &&
        ops[o].bundle->version == found->second.version + 1;
  }
  if (auto* p = as<EpochPayload>(o)) {
    std::map<DeviceId, Sealed> sealed;
    for (auto& seal: p->seals) sealed[seal.recipient] = seal.what;
    uint64_t n = 1;
    EpochId previous;
    if (state.epoch) {
      n = as<EpochPayload>(*state.epoch)->n + 1;
      previous = ops[*state.epoch].sealed.hash;
    }
    return sealed == recipientsIn(state) && p->n == n && p->previous == previous;
  }
  return true;
}

const Circle::Judgement& Circle::judge(size_t o) {
  auto found = judgements.find(o);
  if (found != judgements.end()) return found->second;
  auto before = resolve(ops[o].past);
  Judgement judgement;
  judgement.row = rowIn(before.state, o);
  judgement.weight = weightIn(before.state, o);
  judgement.authorised = mayDo(before.state, o) && hasSomethingToDo(before.state, o);
  judgement.rests = restsOf(o, before, judgement.row, judgement.weight);
  return judgements[o] = judgement;
}

Ops Circle::restsOf(size_t o, const Resolution& before, Row row, int weight) {
  Ops grounds;
  for (auto p: before.kept) {
    auto made = madeBy(p);
    for (auto& signer: ops[o].sealed.signers()) {
      bool makes = made == signer;
      if (auto* g = as<GenesisPayload>(p))
        makes = makes || recoveryId(g->recoveryEd, g->recoveryXw) == signer;
      if (auto* r = as<RecoveryResetPayload>(p))
        makes = makes || recoveryId(r->recoveryEd, r->recoveryXw) == signer;
      if (auto* s = as<SetRolePayload>(p)) makes = makes || s->target == signer;
      if (auto* r = as<ReinstatePayload>(p)) makes = makes || r->target == signer;
      if (makes) grounds.insert(p);
    }
    bool grave = row == Row::UNMAKE || row == Row::MAKE;
    if (grave && weight == 1 && before.standing.contains(p) && judge(p).row == Row::UNMAKE)
      grounds.insert(p);
    auto* remove = as<RemovePayload>(o);
    auto* demotion = as<SetRolePayload>(p);
    if (remove != nullptr && demotion != nullptr && demotion->target == remove->target &&
        isRemoval(p))
      grounds.insert(p);
  }
  auto rests = grounds;
  for (auto ground: grounds) {
    auto& below = judge(ground).rests;
    rests.insert(below.begin(), below.end());
  }
  return rests;
}

}  // namespace hearth::crypto::slow
