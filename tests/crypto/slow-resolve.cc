#include "tests/crypto/slow-resolve.h"

#include <kj/debug.h>

#include <algorithm>
#include <functional>

namespace hearth::crypto::slow {

namespace {

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

bool isActiveAdmin(const State& state, const DeviceId& id) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.role == Role::ADMIN &&
      found->second.status == MemberStatus::ACTIVE;
}
bool isAdmin(const State& state, const DeviceId& id) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.role == Role::ADMIN;
}
bool hasStatus(const State& state, const DeviceId& id, MemberStatus status) {
  auto found = state.devices.find(id);
  return found != state.devices.end() && found->second.status == status;
}
bool isActive(const State& state, const DeviceId& id) {
  return hasStatus(state, id, MemberStatus::ACTIVE);
}
bool isSuspended(const State& state, const DeviceId& id) {
  return hasStatus(state, id, MemberStatus::SUSPENDED);
}
bool isRecovery(const State& state, const DeviceId& id) { return state.recovery == id; }

// "RECOVERY and all active ADMIN, MEMBER (what = 1) and VAULT (what = 2)"
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

}  // namespace

bool Circle::give(const SealedOp& sealed) {
  if (places.contains(sealed.hash)) return true;
  Known known{sealed, decodePayload(sealed.op.kind, view(sealed.op.payload)).value(), {}, {}};
  KJ_IF_MAYBE(envelope, bundleEnvelopeIn(known.payload)) {
    known.bundle = Bundle::open(*envelope).value();
  }
  for (auto& hash: sealed.before()) {
    auto parent = places.find(hash);
    if (parent == places.end()) return false;  // it rests on one that was refused
    known.past.insert(parent->second);
    known.past.insert(ops[parent->second].past.begin(), ops[parent->second].past.end());
  }
  // "signers known in state(op) (any status)"
  auto state = resolve(known.past).state;
  for (auto& signer: sealed.signers()) {
    bool isKnown = state.devices.contains(signer) || state.recoveryKeysEver.contains(signer);
    if (!isKnown && sealed.op.kind != OpKind::GENESIS) return false;
  }
  // "prev_own is seq-1 of the same author, and the past holds no op of the author with this seq or a
  // later one"
  if (!sealed.op.prevOwn.isZero()) {
    auto& previous = op(places.at(sealed.op.prevOwn));
    if (previous.author != sealed.op.author || previous.seq + 1 != sealed.op.seq) return false;
  } else if (sealed.op.seq != 1) {
    return false;
  }
  for (auto o: known.past) {
    if (op(o).author == sealed.op.author && op(o).seq >= sealed.op.seq) return false;
  }
  places[sealed.hash] = ops.size();
  ops.push_back(kj::mv(known));
  return true;
}

bool Circle::signedBy(size_t o, const DeviceId& id) const {
  auto signers = ops[o].sealed.signers();
  return std::ranges::find(signers, id) != signers.end();
}

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

Resolution Circle::resolve(const Ops& set) {
  auto found = resolutions.find(set);
  if (found == resolutions.end()) found = resolutions.emplace(set, resolveAnew(set)).first;
  return found->second;
}

Resolution Circle::all() {
  Ops set;
  for (size_t o = 0; o < ops.size(); ++o) set.insert(o);
  return resolve(set);
}

Resolution Circle::resolveAnew(const Ops& set) {
  Ops valid;
  for (auto o: set) {
    if (judge(o).authorised) valid.insert(o);
  }
  std::vector<Node> nodes;
  for (auto o: valid) {
    if (isRemoval(o) || isMaker(o)) nodes.push_back({.op = o});
  }
  for (auto& fork: forksOf(set)) nodes.push_back({.fork = fork});

  size_t count = nodes.size();
  std::vector<std::vector<bool>> attack(count, std::vector<bool>(count, false));
  for (size_t n = 0; n < count; ++n) {
    for (size_t m = 0; m < count; ++m) attack[n][m] = n != m && attacks(nodes[n], nodes[m], valid);
  }

  Resolution result;
  Ops voided;
  for (auto o: set) {
    if (!valid.contains(o)) voided.insert(o);
  }
  std::vector<bool> undecided(count, true);
  std::set<size_t> standing;  // nodes, in either way
  while (std::ranges::count(undecided, true) > 0) {
    // reach[n][m]: n attacks m over undecided nodes.
    auto reach = attack;
    for (size_t k = 0; k < count; ++k) {
      for (size_t n = 0; n < count; ++n) {
        for (size_t m = 0; m < count; ++m) {
          if (undecided[n] && undecided[k] && undecided[m] && reach[n][k] && reach[k][m])
            reach[n][m] = true;
        }
      }
    }
    auto together = [&](size_t n, size_t m) { return n == m || (reach[n][m] && reach[m][n]); };
    std::vector<size_t> decided;
    for (size_t n = 0; n < count; ++n) {
      if (!undecided[n]) continue;
      bool attacked = false;
      for (size_t member = 0; member < count; ++member) {
        if (!undecided[member] || !together(n, member)) continue;
        for (size_t from = 0; from < count; ++from)
          attacked = attacked || (undecided[from] && !together(n, from) && attack[from][member]);
      }
      if (!attacked) decided.push_back(n);
    }
    KJ_ASSERT(!decided.empty());
    std::vector<size_t> fallen;
    for (auto n: decided) {
      bool alone =
          std::ranges::none_of(decided, [&](size_t m) { return m != n && together(n, m); });
      if (nodes[n].fork) {
        result.forks.push_back(*nodes[n].fork);
        standing.insert(n);
      } else if (alone) {
        result.standing.insert(*nodes[n].op);
        standing.insert(n);
      } else if (isRemoval(*nodes[n].op)) {
        result.suspending.insert(*nodes[n].op);
        standing.insert(n);
      }  // else a maker in a component: void, as it does not stand
      for (size_t m = 0; m < count; ++m) {
        if (undecided[m] && attack[n][m] && !together(n, m)) fallen.push_back(m);
      }
    }
    for (auto n: decided) undecided[n] = false;
    for (auto m: fallen) undecided[m] = false;
  }

  auto isStandingRemoval = [&](size_t o) {
    return result.suspending.contains(o) || (result.standing.contains(o) && isRemoval(o));
  };
  for (size_t n = 0; n < count; ++n) {
    if (!standing.contains(n)) {
      if (nodes[n].op) voided.insert(*nodes[n].op);
      continue;
    }
    for (auto o: hitsOf(nodes[n], valid)) {
      if (!isStandingRemoval(o)) voided.insert(o);
    }
  }

  for (auto o: set) {  // they were given in a topological order
    if (voided.contains(o)) continue;
    bool stays =
        isStandingRemoval(o) || mayDo(fold(both(result.kept, ops[o].past), ops[o].past, result), o);
    if (stays) result.kept.insert(o);
  }
  result.state = fold(result.kept, set, result);
  return result;
}

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

std::string Circle::compare(const MembershipLog& log) {
  auto mine = all();
  auto& theirs = log.state();
  std::string said;
  auto differ = [&](const auto&... parts) { said += kj::str(parts..., "; ").cStr(); };
  if (ops.size() != log.size()) differ("ops stored: ", log.size(), ", not ", ops.size());
  for (size_t o = 0; o < ops.size(); ++o) {
    bool applies = log.applies(ops[o].sealed.hash), should = mine.kept.contains(o);
    if (applies != should)
      differ("op ", o, " (kind ", static_cast<int>(op(o).kind), ") ",
          applies ? "applies and should not" : "should apply");
  }
  if (theirs.devices.size() != mine.state.devices.size())
    differ("devices: ", theirs.devices.size(), ", not ", mine.state.devices.size());
  for (auto& [id, device]: mine.state.devices) {
    KJ_IF_MAYBE(member, theirs.find(id)) {
      if (member->status != device.status || member->role != device.role)
        differ("a device has role ", static_cast<int>(member->role), " and status ",
            static_cast<int>(member->status), ", not ", static_cast<int>(device.role), " and ",
            static_cast<int>(device.status));
    }
  }
  std::optional<DeviceId> recovery;
  KJ_IF_MAYBE(key, theirs.recovery) recovery = key->id;
  if (recovery != mine.state.recovery) differ("another recovery key");
  std::optional<size_t> policy, epoch;
  bool stale = true;
  KJ_IF_MAYBE(p, theirs.policy) policy = places.at(p->id);
  KJ_IF_MAYBE(e, theirs.epoch) epoch = places.at(e->id), stale = e->stale;
  if (policy != mine.state.policy) differ("another policy");
  if (epoch != mine.state.epoch) differ("another epoch");
  if (stale != mine.state.stale) differ("the epoch is ", stale ? "" : "not ", "stale");
  if (log.revoked() != mine.state.revoked) differ("other revocations");
  if (theirs.minSuite != mine.state.minSuite) differ("another suite");
  if (theirs.locked != mine.state.locked) differ(theirs.locked ? "locked" : "not locked");
  return said;
}

}  // namespace hearth::crypto::slow
