// The removals, makers and forks of a set, and which of them attacks which.
#include "tests/crypto/slow-resolve.h"

#include <algorithm>
#include <functional>

namespace hearth::crypto::slow {

// "removals in V (Remove, demotion of an ADMIN, Leave, RecoveryReset)"
bool Circle::isRemoval(size_t o) {
  auto* set = as<SetRolePayload>(o);
  bool demotion = set != nullptr && set->role != Role::ADMIN && judge(o).row == Row::UNMAKE;
  return as<RemovePayload>(o) || as<LeavePayload>(o) || as<RecoveryResetPayload>(o) || demotion;
}

// "makers in V (Add of, promotion to, Reinstate of an ADMIN with weight >= 2)"
bool Circle::isMaker(size_t o) {
  bool makes = as<AddPayload>(o) || as<SetRolePayload>(o) || as<ReinstatePayload>(o);
  return makes && judge(o).row == Row::MAKE && judge(o).weight >= 2;
}

DeviceId Circle::targetOf(size_t removal) const {
  if (auto* p = as<RemovePayload>(removal)) return p->target;
  if (auto* p = as<SetRolePayload>(removal)) return p->target;
  return op(removal).author;  // Leave
}

// "each (author, seq) with two or more ops in S, void ones too, recovery keys excepted"
std::vector<Fork> Circle::forksOf(const Ops& set) const {
  std::map<std::pair<DeviceId, uint64_t>, Ops> rivals;
  std::set<DeviceId> recoveryKeys;
  for (auto o: set) {
    rivals[{op(o).author, op(o).seq}].insert(o);
    if (auto* g = as<GenesisPayload>(o))
      recoveryKeys.insert(recoveryId(g->recoveryEd, g->recoveryXw));
    if (auto* r = as<RecoveryResetPayload>(o))
      recoveryKeys.insert(recoveryId(r->recoveryEd, r->recoveryXw));
  }
  std::vector<Fork> forks;
  for (auto& [place, rival]: rivals) {
    if (rival.size() >= 2 && !recoveryKeys.contains(place.first))
      forks.push_back({place.first, place.second, rival});
  }
  return forks;
}

int Circle::forceOf(const Fork& fork, const Ops& valid) {
  std::vector<int> greatest;
  for (auto branch: fork.ops) {
    int best = -1;
    for (auto o: valid) {
      if (op(o).author != fork.author || !(grave(o) || as<LeavePayload>(o))) continue;
      bool isOrHas = o == branch || inPast(branch, o);
      bool hasOther = false;
      for (auto other: fork.ops) hasOther = hasOther || (other != branch && inPast(other, o));
      if (isOrHas && !hasOther) best = std::max(best, judge(o).weight);
    }
    greatest.push_back(best);
  }
  std::ranges::sort(greatest, std::greater());
  return greatest[1];
}

// "n hits the ops o of V"
Ops Circle::hitsOf(const Node& n, const Ops& valid) {
  Ops hits;
  for (auto o: valid) {
    bool hit;
    if (n.fork) {
      bool later = op(o).author == n.fork->author && op(o).seq >= n.fork->seq;
      bool withoutTwo = both(ops[o].past, n.fork->ops).size() < 2;
      bool rival =
          as<RotateKeysPayload>(o) || (grave(o) && judge(o).weight <= forceOf(*n.fork, valid));
      hit = later && withoutTwo && rival;
    } else if (auto* reset = as<RecoveryResetPayload>(*n.op)) {
      (void)reset;
      hit = concurrent(*n.op, o);
      if (as<RecoveryResetPayload>(o))
        hit =
            hit && op(o).author == op(*n.op).author && ops[o].sealed.hash > ops[*n.op].sealed.hash;
    } else if (isRemoval(*n.op)) {
      auto target = targetOf(*n.op);
      hit = signedBy(o, target) && concurrent(*n.op, o) && judge(o).weight <= judge(*n.op).weight &&
          !(grave(o) && signedBy(*n.op, target));
    } else {
      hit = concurrent(*n.op, o) && grave(o) && judge(o).weight == 1;
    }
    if (hit) hits.insert(o);
  }
  return hits;
}

bool Circle::attacks(const Node& n, const Node& m, const Ops& valid) {
  if (m.fork) {
    if (!n.op) return false;
    auto* remove = as<RemovePayload>(*n.op);
    bool removesAuthor = remove != nullptr && remove->target == m.fork->author &&
        !signedBy(*n.op, m.fork->author) && judge(*n.op).weight >= forceOf(*m.fork, valid);
    if (!removesAuthor && !as<RecoveryResetPayload>(*n.op)) return false;
    for (auto branch: m.fork->ops) {
      if (inPast(*n.op, branch)) return false;
    }
    return both(ops[*n.op].past, m.fork->ops).size() <= 1;
  }
  auto hits = hitsOf(n, valid);
  return hits.contains(*m.op) || !both(hits, judge(*m.op).rests).empty();
}

}  // namespace hearth::crypto::slow
