#include "crypto/membership/fold.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// Adds `op` to the newest ones, in place of those that are in its past.
void putNewest(const OpTable& table, OpSet& newest, OpIndex op) {
  newest -= table[op].past;
  newest.insert(op);
}

Role roleSetBy(const OpRecord& record) {
  if (auto* add = record.as<AddPayload>()) return add->role;
  if (auto* set = record.as<SetRolePayload>()) return set->role;
  return Role::ADMIN;  // Genesis and RecoveryReset name the first admin
}

// A RECOVERY-signed Add, promotion or Reinstate of an ADMIN, or RecoveryReset.
bool unlocks(const OpRecord& record) {
  return record.as<RecoveryResetPayload>() ||
      (record.makesAdmin() && record.weight == WEIGHT_RECOVERY);
}

}  // namespace

void Fold::keep(const OpTable& table, OpIndex op, const Standing& standing) {
  auto& record = table[op];
  if (grantsIn(record.payload).size() > 0) granting.insert(op);
  if (auto* genesis = record.as<GenesisPayload>()) {
    bringIn(record, op);
    found(table, op, genesis->recoveryEd, genesis->recoveryXw);
    minSuite = std::max(minSuite, genesis->minSuite);
  } else if (auto* reset = record.as<RecoveryResetPayload>()) {
    bringIn(record, op);
    found(table, op, reset->recoveryEd, reset->recoveryXw);
    resets.insert(op);
  } else if (record.as<AddPayload>()) {
    bringIn(record, op);
    setRole(table, op, record.bundle->bundle.id());
  } else if (record.as<RotateKeysPayload>()) {
    bringIn(record, op);
    facts[record.bundle->bundle.id()].rotatedFrom.insert(record.op().author);
    facts[record.op().author].retired = true;
  } else if (record.as<BundleUpdatePayload>()) {
    present(facts[record.op().author], record.bundle);
  } else if (record.isRemoval()) {
    unmake(record, op, standing);
  } else if (auto* set = record.as<SetRolePayload>()) {
    setRole(table, op, set->target);
  } else if (auto* reinstate = record.as<ReinstatePayload>()) {
    facts[reinstate->target].reinstatements.insert(op);
  } else if (auto* epoch = record.as<EpochPayload>()) {
    rank(record, op, epoch->n);
  } else if (record.as<PolicySetPayload>()) {
    putNewest(table, policies, op);
  } else if (record.as<PluginRevokePayload>()) {
    revocations.insert(op);
  } else if (auto* suite = record.as<MinSuitePayload>()) {
    minSuite = std::max(minSuite, suite->suite);
  }
  if (auto* set = record.as<SetRolePayload>();
      set != nullptr && record.isRemoval() && !standing.suspending.contains(op))
    setRole(table, op, set->target);
  lock(table, op, standing);
}

void Fold::bringIn(const OpRecord& record, OpIndex op) {
  auto& device = facts[record.bundle->bundle.id()];
  device.made.insert(op);
  present(device, record.bundle);
}

// The newest version counts; of two with one version, whoever made them, the smaller hash.
void Fold::present(Facts& device, const SignedBundlePtr& bundle) {
  auto rank = [](const Bundle& b) { return std::pair(~b.version, b.hash()); };
  if (device.bundle == nullptr || rank(bundle->bundle) < rank(device.bundle->bundle))
    device.bundle = bundle;
}

void Fold::found(const OpTable& table, OpIndex op, const SignPublic& ed, const XWing::Public& xw) {
  setRole(table, op, table[op].bundle->bundle.id());
  putNewest(table, founders, op);
  recoveryKeys[recoveryId(ed, xw)] = ed;
}

void Fold::unmake(const OpRecord& record, OpIndex op, const Standing& standing) {
  auto& device = facts[record.target()];
  if (standing.suspending.contains(op)) {
    device.suspensions.insert(op);
  } else if (!record.as<SetRolePayload>()) {
    device.removed = true;
  }
}

void Fold::setRole(const OpTable& table, OpIndex op, const DeviceId& target) {
  putNewest(table, facts[target].roles, op);
}

void Fold::rank(const OpRecord& record, OpIndex op, uint64_t n) {
  Ranked ranked{n, record.sealed.hash, op};
  auto place = std::ranges::lower_bound(
      epochs, ranked, [](const Ranked& a, const Ranked& b) { return a.isBefore(b); });
  epochs.insert(place, ranked);
}

// §5.2: a Remove or demotion of an ADMIN by one signature locks the circle until RECOVERY speaks.
void Fold::lock(const OpTable& table, OpIndex op, const Standing& standing) {
  auto& record = table[op];
  bool stands = standing.nodes.contains(op) && !record.as<LeavePayload>();
  if (record.isRemoval() && record.row == Row::UNMAKES_ADMIN && record.weight == 1 && stands)
    locking.insert(op);
  if (unlocks(record)) locking -= record.past;
}

CircleState Fold::state(const OpTable& table, const OpSet& scope, const Standing& standing,
    const std::set<DeviceId>& flooders) const {
  CircleState state;
  for (auto& [id, device]: facts) {
    if (device.made.empty()) continue;
    state.devices[id] = {roleOf(table, device), statusOf(table, id, device, scope, standing),
        device.bundle, device.rotatedFrom};
    auto& member = state.devices[id];
    if (member.isActive() && flooders.contains(id)) member.status = MemberStatus::SUSPENDED;
  }
  state.idsSinceReset = countIdsSinceReset(table);
  state.recovery = recovery(table);
  state.recoveryKeys = recoveryKeys;
  state.policy = policy(table);
  state.revocations = revocations;
  state.minSuite = minSuite;
  state.locked = !locking.empty();
  state.epoch = currentEpoch(table, state);
  return state;
}

// A device with rotated keys has the role of the old id, later changes of that one included. Two that
// came in beside each other may have rotated to each other's keys: each id counts once.
OpSet Fold::roleOps(const OpTable& table, const Facts& device) const {
  auto all = device.roles;
  auto open = device.rotatedFrom;
  std::set<DeviceId> counted;
  while (!open.empty()) {
    auto id = *open.begin();
    open.erase(open.begin());
    if (!counted.insert(id).second) continue;
    auto& old = facts.at(id);
    all |= old.roles;
    open.insert(old.rotatedFrom.begin(), old.rotatedFrom.end());
  }
  OpSet newest;
  for (auto op: all) putNewest(table, newest, op);
  return newest;
}

// Ties of §5.4: greater weight, then the lower role.
Role Fold::roleOf(const OpTable& table, const Facts& device) const {
  std::pair<uint32_t, Role> best{0, Role::ADMIN};
  for (auto op: roleOps(table, device))
    best = std::max(best, {table[op].weight, roleSetBy(table[op])});
  return best.second;
}

MemberStatus Fold::statusOf(const OpTable& table, const DeviceId& id, const Facts& device,
    const OpSet& scope, const Standing& standing) const {
  if (device.removed || isResetAway(table, device)) return MemberStatus::REMOVED;
  if (device.retired) return MemberStatus::RETIRED;
  bool suspended = isSuspended(table, id, device, scope, standing);
  return suspended ? MemberStatus::SUSPENDED : MemberStatus::ACTIVE;
}

bool Fold::isSuspended(const OpTable& table, const DeviceId& id, const Facts& device,
    const OpSet& scope, const Standing& standing) const {
  auto pardoned = [&](const OpSet& causes) {
    for (auto reinstatement: device.reinstatements) {
      if ((causes - table[reinstatement].past).empty()) return true;
    }
    return false;
  };
  for (auto removal: device.suspensions) {
    OpSet cause;
    cause.insert(removal);
    if (!pardoned(cause)) return true;
  }
  return std::ranges::any_of(standing.forks, [&](const Fork& fork) {
    auto seen = fork.ops & scope;
    return fork.author == id && seen.count() >= 2 && !pardoned(seen);
  });
}

// Rule 1: made neither by a RecoveryReset that stands nor after it.
bool Fold::isResetAway(const OpTable& table, const Facts& device) const {
  for (auto reset: resets) {
    bool survives = false;
    for (auto op: device.made) survives = survives || op == reset || table[op].past.contains(reset);
    if (!survives) return true;
  }
  return false;
}

size_t Fold::countIdsSinceReset(const OpTable& table) const {
  return static_cast<size_t>(std::ranges::count_if(facts, [&](auto& entry) {
    return !entry.second.made.empty() && !isResetAway(table, entry.second);
  }));
}

kj::Maybe<RecoveryKey> Fold::recovery(const OpTable& table) const {
  if (founders.empty()) return nullptr;
  auto& record = table[founders.last()];
  auto key = [](auto& payload) {
    return RecoveryKey{
        recoveryId(payload.recoveryEd, payload.recoveryXw), payload.recoveryEd, payload.recoveryXw};
  };
  if (auto* reset = record.as<RecoveryResetPayload>()) return key(*reset);
  return key(*record.as<GenesisPayload>());
}

// Ties of §5.4: greater weight, then the smallest op_hash.
kj::Maybe<PolicyInForce> Fold::policy(const OpTable& table) const {
  kj::Maybe<OpIndex> best;
  for (auto op: policies) {
    KJ_IF_MAYBE(other, best) {
      auto& a = table[op];
      auto& b = table[*other];
      bool better = a.weight != b.weight ? a.weight > b.weight : a.sealed.hash < b.sealed.hash;
      if (better) best = op;
    } else {
      best = op;
    }
  }
  return best.map([&](OpIndex op) {
    return PolicyInForce{table[op].sealed.hash, table[op].as<PolicySetPayload>()->version};
  });
}

// §5.5: the largest n that is not stale, then the smallest hash; if all are stale, the same among
// those.
kj::Maybe<CurrentEpoch> Fold::currentEpoch(const OpTable& table, const CircleState& state) const {
  if (epochs.empty()) return nullptr;
  auto chosen = std::ranges::find_if(
      epochs, [&](const Ranked& ranked) { return !isStale(table, ranked.op, state); });
  bool stale = chosen == epochs.end();
  if (stale) chosen = epochs.begin();
  auto& payload = *table[chosen->op].as<EpochPayload>();
  return CurrentEpoch{.id = chosen->hash,
      .n = payload.n,
      .commit = payload.commit,
      .stale = stale,
      .incomplete = isIncomplete(table, chosen->op, state)};
}

// Who was ever given the secret of an epoch: its own seals, and the grants of later ops.
std::vector<const Seal*> Fold::holdersOf(const OpTable& table, OpIndex epoch) const {
  std::vector<const Seal*> holders;
  for (auto& seal: table[epoch].as<EpochPayload>()->seals) holders.push_back(&seal);
  for (auto op: granting) {
    for (auto& grant: grantsIn(table[op].payload)) {
      if (grant.epoch == table[epoch].sealed.hash) holders.push_back(&grant.seal);
    }
  }
  return holders;
}

// §5.5, with grants counted as seals (docs/adr/0005): one of those who were given the secret has no
// part in the circle any more, or another one; or RECOVERY has begun the circle anew since.
bool Fold::isStale(const OpTable& table, OpIndex epoch, const CircleState& state) const {
  if (!(resets - table[epoch].past).empty()) return true;
  auto due = epochRecipients(state);
  return std::ranges::any_of(holdersOf(table, epoch), [&](const Seal* seal) {
    auto found = due.find(seal->recipient);
    return found == due.end() || found->second != seal->what;
  });
}

// Somebody who has a part in the circle was not given the secret: an Add and an Epoch that did not
// know of each other.
bool Fold::isIncomplete(const OpTable& table, OpIndex epoch, const CircleState& state) const {
  auto due = epochRecipients(state);
  for (auto* seal: holdersOf(table, epoch)) due.erase(seal->recipient);
  return !due.empty();
}

}  // namespace hearth::crypto
