#include "crypto/membership/resolve.h"

#include "crypto/membership/authority.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

// How the removals of a set have fought each other out.
struct Verdicts {
  OpSet standing;    // they remove their targets
  OpSet suspending;  // they suspend their targets (rule 4)
  OpSet voided;
};

// Rules 2, 3 and 5: a removal voids what its target signed beside it, unless that is heavier.
bool hits(const OpRecords& records, OpIndex removal, OpIndex other) {
  auto& n = records[removal];
  auto& o = records[other];
  auto signers = o.sealed.signers();
  auto target = n.removal().target;
  if (std::ranges::find(signers, target) == signers.end()) return false;
  auto removers = n.sealed.signers();
  bool signedOwn = std::ranges::find(removers, target) != removers.end();
  if (signedOwn && (o.removesAdmin || o.raisesAdmin)) return false;
  return concurrent(records, removal, other) && o.weight <= n.weight;
}

bool attacks(const OpRecords& records, OpIndex removal, OpIndex other) {
  if (hits(records, removal, other)) return true;
  return std::ranges::any_of(
      records[other].rests, [&](OpIndex ground) { return hits(records, removal, ground); });
}

// Attacks among removals, followed through: reach[a] holds all that a attacks, however indirectly.
using Reach = std::map<OpIndex, OpSet>;

Reach reachOf(const OpRecords& records, const OpSet& removals) {
  Reach reach;
  for (auto a: removals) {
    for (auto b: removals) {
      if (a != b && attacks(records, a, b)) reach[a].insert(b);
    }
  }
  for (auto via: removals) {
    for (auto from: removals) {
      if (reach[from].contains(via)) reach[from].insert(reach[via].begin(), reach[via].end());
    }
  }
  return reach;
}

OpSet componentOf(OpIndex node, Reach& reach, const OpSet& among) {
  OpSet component = {node};
  for (auto other: among) {
    if (reach[node].contains(other) && reach[other].contains(node)) component.insert(other);
  }
  return component;
}

// The components that no other undecided one attacks are decided first; what they attack falls.
Verdicts decide(const OpRecords& records, OpSet undecided) {
  Verdicts verdicts;
  while (!undecided.empty()) {
    auto reach = reachOf(records, undecided);
    OpSet decided, fallen;
    for (auto node: undecided) {
      auto component = componentOf(node, reach, undecided);
      bool attacked = std::ranges::any_of(undecided,
          [&](OpIndex other) { return !component.contains(other) && reach[other].contains(node); });
      if (attacked) continue;
      (component.size() == 1 ? verdicts.standing : verdicts.suspending).insert(node);
      decided.insert(node);
      for (auto other: undecided) {
        if (!component.contains(other) && attacks(records, node, other)) fallen.insert(other);
      }
    }
    for (auto node: fallen) verdicts.voided.insert(node);
    std::erase_if(
        undecided, [&](OpIndex node) { return decided.contains(node) || fallen.contains(node); });
  }
  return verdicts;
}

void foldOp(CircleState& state, const OpRecord& record, bool stands, bool suspends) {
  if (auto* genesis = std::get_if<GenesisPayload>(&record.payload)) {
    state.recovery = RecoveryKey{recoveryId(genesis->recoveryEd, genesis->recoveryXw),
        genesis->recoveryEd, genesis->recoveryXw};
    KJ_IF_MAYBE(bundle, record.bundle) {
      state.devices[bundle->id()] =
          Member{Role::ADMIN, MemberStatus::ACTIVE, *bundle, genesis->bundleEnvelope};
    }
  } else if (auto* add = std::get_if<AddPayload>(&record.payload)) {
    KJ_IF_MAYBE(bundle, record.bundle) {
      // Brought in twice at once: one device all the same, in the lower of its roles (rule 6: never
      // back from a removal).
      Member fresh{add->role, MemberStatus::ACTIVE, *bundle, add->bundleEnvelope};
      auto [member, isNew] = state.devices.try_emplace(bundle->id(), fresh);
      member->second.role = std::max(member->second.role, add->role);
    }
  } else if (record.isRemoval()) {
    auto target = state.devices.find(record.removal().target);
    if (target == state.devices.end()) return;
    if (stands) target->second.status = MemberStatus::REMOVED;
    if (suspends && target->second.isActive()) target->second.status = MemberStatus::SUSPENDED;
  }
}

// §5.2: a removal of an admin by one admin locks the circle until the recovery key has spoken.
bool isLocked(const OpRecords& records, const OpSet& kept) {
  return std::ranges::any_of(kept, [&](OpIndex removal) {
    if (!records[removal].removesAdmin || records[removal].weight != 1) return false;
    return std::ranges::none_of(kept, [&](OpIndex maker) {
      return records[maker].raisesAdmin && records[maker].weight == WEIGHT_RECOVERY &&
          records[maker].past.contains(removal);
    });
  });
}

// Who was ever given the secret of an epoch: its own seals, and the grants of later Adds.
std::vector<const Seal*> holdersOf(
    const OpRecords& records, const OpSet& kept, OpIndex epoch, const EpochPayload& payload) {
  std::vector<const Seal*> holders;
  for (auto& seal: payload.seals) holders.push_back(&seal);
  for (auto index: kept) {
    auto* add = std::get_if<AddPayload>(&records[index].payload);
    if (add == nullptr) continue;
    for (auto& grant: add->grants) {
      if (grant.epoch == records[epoch].sealed.hash) holders.push_back(&grant.seal);
    }
  }
  return holders;
}

// §5.5, with grants counted as seals (docs/adr/0005): one of those who were given the secret has no
// part in the circle any more, or another one.
bool isStale(const CircleState& state, const OpRecords& records, const OpSet& kept, OpIndex epoch,
    const EpochPayload& payload) {
  auto due = epochRecipients(state);
  return std::ranges::any_of(holdersOf(records, kept, epoch, payload), [&](const Seal* seal) {
    auto found = due.find(seal->recipient);
    return found == due.end() || found->second != seal->what;
  });
}

// Somebody who has a part in the circle was not given the secret: an Add and an Epoch that did not
// know of each other.
bool isIncomplete(const CircleState& state, const OpRecords& records, const OpSet& kept,
    OpIndex epoch, const EpochPayload& payload) {
  auto due = epochRecipients(state);
  for (auto* seal: holdersOf(records, kept, epoch, payload)) due.erase(seal->recipient);
  return !due.empty();
}

// §5.5: the largest n that is not stale, then the smallest hash; if all are stale, the same among
// those.
void chooseEpoch(CircleState& state, const OpRecords& records, const OpSet& kept) {
  for (auto index: kept) {
    auto* payload = std::get_if<EpochPayload>(&records[index].payload);
    if (payload == nullptr) continue;
    CurrentEpoch candidate{.id = records[index].sealed.hash,
        .n = payload->n,
        .commit = payload->commit,
        .stale = isStale(state, records, kept, index, *payload),
        .incomplete = isIncomplete(state, records, kept, index, *payload)};
    bool better = true;
    KJ_IF_MAYBE(best, state.epoch) {
      auto rank = [](const CurrentEpoch& e) { return std::pair(!e.stale, e.n); };
      better = rank(candidate) > rank(*best) ||
          (rank(candidate) == rank(*best) && candidate.id < best->id);
    }
    if (better) state.epoch = candidate;
  }
}

// A function of a set of ops: records stand in topological order, and sets are ordered by it.
CircleState fold(const OpRecords& records, const OpSet& kept, const Verdicts& verdicts) {
  CircleState state;
  for (auto index: kept) {
    foldOp(state, records[index], verdicts.standing.contains(index),
        verdicts.suspending.contains(index));
  }
  state.locked = isLocked(records, kept);
  chooseEpoch(state, records, kept);
  return state;
}

OpSet voidBy(const OpRecords& records, const OpSet& set, const Verdicts& verdicts) {
  OpSet voided = verdicts.voided;
  for (auto index: set) {
    if (!records[index].authorised) voided.insert(index);
    bool isStanding = verdicts.standing.contains(index) || verdicts.suspending.contains(index);
    bool hit = std::ranges::any_of(
        verdicts.standing, [&](OpIndex removal) { return hits(records, removal, index); });
    hit = hit || std::ranges::any_of(verdicts.suspending, [&](OpIndex removal) {
      return hits(records, removal, index);
    });
    if (hit && !isStanding) voided.insert(index);
  }
  return voided;
}

OpSet intersection(const OpSet& a, const OpSet& b) {
  OpSet both;
  std::ranges::set_intersection(a, b, std::inserter(both, both.end()));
  return both;
}

}  // namespace

CircleState resolve(const OpRecords& records, const OpSet& set) {
  OpSet removals;
  for (auto index: set) {
    if (records[index].authorised && records[index].isRemoval()) removals.insert(index);
  }
  auto verdicts = decide(records, removals);
  auto voided = voidBy(records, set, verdicts);
  OpSet kept;
  for (auto index: set) {
    if (voided.contains(index)) continue;
    bool isNode = verdicts.standing.contains(index) || verdicts.suspending.contains(index);
    bool genesis = records[index].op().kind == OpKind::GENESIS;
    auto ground = [&]() {
      return fold(records, intersection(kept, records[index].past), verdicts);
    };
    if (isNode || genesis || hasAuthority(ground(), records[index])) {
      kept.insert(index);
    } else {
      voided.insert(index);
    }
  }
  auto state = fold(records, kept, verdicts);
  for (auto index: voided) state.voided.insert(records[index].sealed.hash);
  return state;
}

}  // namespace hearth::crypto
