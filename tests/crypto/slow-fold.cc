// From the ops that are kept to the state of the circle.
#include "tests/crypto/slow-resolve.h"

#include <algorithm>

namespace hearth::crypto::slow {

std::optional<DeviceId> Circle::madeBy(size_t o) const {
  bool makes = as<GenesisPayload>(o) || as<AddPayload>(o) || as<RotateKeysPayload>(o) ||
      as<RecoveryResetPayload>(o);
  if (!makes) return std::nullopt;
  return ops[o].bundle->id();
}

Ops Circle::newest(const Ops& among) const {
  Ops found;
  for (auto o: among) {
    bool older = std::ranges::any_of(among, [&](size_t other) { return inPast(o, other); });
    if (!older) found.insert(o);
  }
  return found;
}

// "a demotion standing as suspension sets none; RotateKeys passes on the role of the old id, later and
// concurrent SetRole of it included"
Ops Circle::roleSetters(const DeviceId& id, const Ops& kept, const Resolution& verdicts) const {
  std::set<DeviceId> ids = {id};  // and those that it, or they, rotated from
  for (size_t before = 0; before != ids.size();) {
    before = ids.size();
    for (auto o: kept) {
      if (as<RotateKeysPayload>(o) && ids.contains(ops[o].bundle->id())) ids.insert(op(o).author);
    }
  }
  Ops setters;
  for (auto o: kept) {
    auto made = madeBy(o);
    auto* set = as<SetRolePayload>(o);
    bool makes = made && ids.contains(*made) && !as<RotateKeysPayload>(o);
    bool sets = set != nullptr && ids.contains(set->target) && !verdicts.suspending.contains(o);
    if (makes || sets) setters.insert(o);
  }
  return setters;
}

Role Circle::roleOf(const DeviceId& id, const Ops& kept, const Resolution& verdicts) {
  std::pair<int, int> best{-1, 0};
  for (auto o: newest(roleSetters(id, kept, verdicts))) {
    auto role = Role::ADMIN;  // Genesis, RecoveryReset
    if (auto* add = as<AddPayload>(o)) role = add->role;
    if (auto* set = as<SetRolePayload>(o)) role = set->role;
    best = std::max(best, {judge(o).weight, static_cast<int>(role)});  // VAULT is 3, the lowest
  }
  return static_cast<Role>(best.second);
}

MemberStatus Circle::statusOf(
    const DeviceId& id, const Ops& kept, const Ops& seen, const Resolution& verdicts) const {
  for (auto o: kept) {
    bool ends = (as<RemovePayload>(o) || as<LeavePayload>(o)) && targetOf(o) == id;
    if (ends && verdicts.standing.contains(o)) return MemberStatus::REMOVED;
    if (as<RecoveryResetPayload>(o)) {
      bool survives = false;
      for (auto maker: kept) {
        if (madeBy(maker) == id) survives = survives || maker == o || inPast(o, maker);
      }
      if (!survives) return MemberStatus::REMOVED;
    }
  }
  for (auto o: kept) {
    if (as<RotateKeysPayload>(o) && op(o).author == id) return MemberStatus::RETIRED;
  }
  auto pardoned = [&](const Ops& causes) {
    return std::ranges::any_of(kept, [&](size_t o) {
      auto* reinstate = as<ReinstatePayload>(o);
      return reinstate != nullptr && reinstate->target == id && both(ops[o].past, causes) == causes;
    });
  };
  for (auto o: kept) {
    if (verdicts.suspending.contains(o) && targetOf(o) == id && !pardoned({o}))
      return MemberStatus::SUSPENDED;
  }
  for (auto& fork: verdicts.forks) {
    auto here = both(fork.ops, seen);
    if (fork.author == id && here.size() >= 2 && !pardoned(here)) return MemberStatus::SUSPENDED;
  }
  if (verdicts.flooders.contains(id)) return MemberStatus::SUSPENDED;
  return MemberStatus::ACTIVE;
}

State Circle::fold(const Ops& kept, const Ops& seen, const Resolution& verdicts) {
  State state;
  Ops founding, policies;
  for (auto o: kept) {
    if (auto made = madeBy(o)) {
      auto& device = state.devices[*made];
      device.role = roleOf(*made, kept, verdicts);
      device.status = statusOf(*made, kept, seen, verdicts);
    }
    if (ops[o].bundle) {
      auto& version = state.devices[ops[o].bundle->id()].version;
      version = std::max(version, ops[o].bundle->version);
    }
    if (auto* g = as<GenesisPayload>(o)) {
      founding.insert(o);
      state.recoveryKeysEver.insert(recoveryId(g->recoveryEd, g->recoveryXw));
      state.minSuite = std::max(state.minSuite, g->minSuite);
    }
    if (auto* r = as<RecoveryResetPayload>(o)) {
      founding.insert(o);
      state.recoveryKeysEver.insert(recoveryId(r->recoveryEd, r->recoveryXw));
    }
    if (as<PolicySetPayload>(o)) policies.insert(o);
    if (auto* p = as<PluginRevokePayload>(o)) state.revoked.insert(*p);
    if (auto* p = as<MinSuitePayload>(o)) state.minSuite = std::max(state.minSuite, p->suite);
    // "After a Remove or demotion of an ADMIN with weight 1 the circle is locked ... until"
    bool locks = isRemoval(o) && judge(o).row == Row::UNMAKE && judge(o).weight == 1 &&
        verdicts.standing.contains(o);
    bool unlocked = std::ranges::any_of(kept, [&](size_t later) {
      bool unlocks =
          as<RecoveryResetPayload>(later) || (isMaker(later) && judge(later).weight == 3);
      return unlocks && inPast(o, later);
    });
    if (locks && !unlocked) state.locked = true;
  }
  for (auto o: newest(founding)) {
    if (auto* g = as<GenesisPayload>(o)) state.recovery = recoveryId(g->recoveryEd, g->recoveryXw);
    if (auto* r = as<RecoveryResetPayload>(o))
      state.recovery = recoveryId(r->recoveryEd, r->recoveryXw);
  }
  for (auto o: newest(policies)) {
    auto rank = [&](size_t p) { return std::pair(-judge(p).weight, ops[p].sealed.hash); };
    if (!state.policy || rank(o) < rank(*state.policy)) state.policy = o;
  }
  foldEpoch(state, kept);
  return state;
}

// §5.5
void Circle::foldEpoch(State& state, const Ops& kept) const {
  auto recipients = recipientsIn(state);
  std::optional<std::tuple<bool, uint64_t, OpHash, size_t>> best;
  for (auto o: kept) {
    auto* epoch = as<EpochPayload>(o);
    if (epoch == nullptr) continue;
    bool stale = false;
    for (auto& seal: epoch->seals) {
      auto found = recipients.find(seal.recipient);
      stale = stale || found == recipients.end() || found->second != seal.what;
    }
    for (auto reset: kept) stale = stale || (as<RecoveryResetPayload>(reset) && !inPast(reset, o));
    std::tuple rank{stale, ~epoch->n, ops[o].sealed.hash, o};
    if (!best || rank < *best) best = rank;
  }
  if (!best) return;
  state.epoch = std::get<3>(*best);
  state.stale = std::get<0>(*best);
}

}  // namespace hearth::crypto::slow
