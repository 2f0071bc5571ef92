#include "crypto/membership/log.h"

#include "crypto/membership/authority.h"
#include "crypto/membership/checks.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

// Payload, and the bundle in it.
Result<void> readPayload(OpRecord& record) {
  auto payload = decodePayload(record.op().kind, view(record.op().payload));
  if (!payload) return no(payload.error());
  record.payload = kj::mv(*payload);
  KJ_IF_MAYBE(envelope, bundleEnvelopeIn(record.payload)) {
    auto bundle = Bundle::open(*envelope);
    if (!bundle) return no(bundle.error());
    record.bundle = std::make_shared<const SignedBundle>(
        SignedBundle{*bundle, {envelope->begin(), envelope->end()}});
  }
  return {};
}

// What is found out once and for all, in the state that its past makes.
void judge(OpRecord& record, const Resolution& past) {
  record.row = rowIn(past.state, record);
  bool isGenesis = record.op().kind == OpKind::GENESIS;
  record.weight = isGenesis ? WEIGHT_RECOVERY : weightIn(past.state, record);
  record.byRecoveryKey = isGenesis || past.state.recoveryKeys.contains(record.op().author);
  record.authorised = hasAuthority(past.state, record) && hasGoodContent(past.state, record);
  record.voidBefore = past.voided;
  record.before = past.standing;
}

// rests(op) of §5.4: the ops that made its signers what they are; for a grave op by one signature
// the removals of ADMINs that stand; for a Remove the demotions of its target; and all that those
// rest on.
OpSet restsOf(const OpTable& table, const OpRecord& record, const Resolution& past) {
  OpSet grounds;
  for (auto& signer: record.sealed.signers()) grounds |= table.groundsOf(signer);
  if (record.isGrave() && record.weight == 1) {
    for (auto op: past.standing.nodes) {
      if (table[op].row == Row::UNMAKES_ADMIN) grounds.insert(op);
    }
  }
  if (auto* remove = record.as<RemovePayload>()) {
    for (auto op: table.groundsOf(remove->target)) {
      if (table[op].isRemoval()) grounds.insert(op);
    }
  }
  grounds &= record.past;
  grounds -= past.voided;
  auto rests = grounds;
  for (auto ground: grounds) rests |= table[ground].rests;
  return rests;
}

// Whether RECOVERY has begun the circle anew without the device, which is not brought in afterwards.
bool isLeftBehind(const OpTable& table, OpIndex reset, const DeviceId& device) {
  if (table[reset].bundle->bundle.id() == device) return false;
  for (auto ground: table.groundsOf(device)) {
    if (table[ground].past.contains(reset)) return false;
  }
  return true;
}

// The op by which a device has no part in the circle any more.
bool endsPart(const OpTable& table, OpIndex op, const DeviceId& device) {
  auto& record = table[op];
  if (record.as<RecoveryResetPayload>()) return isLeftBehind(table, op, device);
  if (auto* remove = record.as<RemovePayload>()) return remove->target == device;
  if (record.as<LeavePayload>() || record.as<RotateKeysPayload>())
    return record.op().author == device;
  return false;
}

}  // namespace

Result<MembershipLog::Taken> MembershipLog::add(Bytes envelope) {
  auto op = SealedOp::open(envelope);
  if (!op) return no(op.error());
  if (has(op->hash)) return Taken::KNOWN;
  bool ours = op->op.kind == OpKind::GENESIS ? circleIdOf(op->op.body()) == circleId
                                             : op->op.circle == circleId;
  if (!ours) return no(Errc::BAD_FORMAT, "an op of another circle");
  if (!hasParents(*op) || hasFlooded(op->op.author)) return hold(kj::mv(*op));
  if (auto stored = store(kj::mv(*op)); !stored) return no(stored.error());
  retryWaiting();
  return Taken::STORED;
}

Result<void> MembershipLog::store(SealedOp&& op) {
  if (table.size() >= OPS_MAX) return no(Errc::LIMIT_EXCEEDED, "the membership log is full");
  OpRecord record{.sealed = kj::mv(op)};
  if (auto read = readPayload(record); !read) return read;
  record.past = pastOf(record.sealed);
  if (auto chained = checkChain(table, record); !chained) return chained;
  if (auto within = checkFloods(table, record.past); !within) return within;
  auto& past = resolver.of(table, record.past);
  if (auto good = checkSignatures(record, past.state); !good) return good;
  if (auto founded = checkFoundation(record, past); !founded) return founded;
  judge(record, past);
  record.rests = restsOf(table, record, past);
  table.add(kj::mv(record));
  return {};
}

Result<void> MembershipLog::checkFoundation(const OpRecord& record, const Resolution& past) const {
  if (auto given = checkConsent(record, past.state, circleId); !given) return given;
  return checkAllowance(table, record, past);
}

Result<void> MembershipLog::wouldApply(const Op& op) const {
  OpRecord record{.sealed = {.op = op, .hash = opHash(op.body())}};
  if (op.circle != circleId) return no(Errc::BAD_FORMAT, "an op of another circle");
  if (auto read = readPayload(record); !read) return read;
  record.past = pastOf(record.sealed);
  if (!hasParents(record.sealed) || !(counted() - record.past).empty())
    return no(Errc::STALE, "an op that does not stand on all that is known here");
  if (auto chained = checkChain(table, record); !chained) return chained;
  if (auto within = checkFloods(table, record.past); !within) return within;
  auto& past = resolver.of(table, record.past);
  if (auto founded = checkFoundation(record, past); !founded) return founded;
  judge(record, past);
  if (!record.authorised) return no(Errc::NOT_AUTHORISED, "an op that the circle would not follow");
  return {};
}

bool MembershipLog::hasParents(const SealedOp& op) const {
  return std::ranges::all_of(op.before(), [&](auto& hash) { return has(hash); });
}

OpSet MembershipLog::pastOf(const SealedOp& op) const {
  OpSet past;
  for (auto& hash: op.before()) {
    KJ_IF_MAYBE(index, table.find(hash)) {
      past |= table[*index].past;
      past.insert(*index);
    }
  }
  return past;
}

const Resolution& MembershipLog::resolution() const {
  return resolver.of(table, OpSet::firstOf(table.size()));
}

bool MembershipLog::applies(const OpHash& hash) const {
  KJ_IF_MAYBE(index, table.find(hash)) return !resolution().voided.contains(*index);
  return false;
}

std::set<PluginRevokePayload> MembershipLog::revoked() const {
  std::set<PluginRevokePayload> revoked;
  for (auto op: state().revocations) revoked.insert(*table[op].as<PluginRevokePayload>());
  return revoked;
}

// Something may be complete with it all the same: what rests on a flood, and the flood's ops under it.
MembershipLog::Taken MembershipLog::hold(SealedOp&& op) {
  auto hash = op.hash;
  bool isOfFlood = hasFlooded(op.op.author);
  waiting.put(kj::mv(op));
  auto* held = waiting.find(hash);
  bool mayComplete =
      isOfFlood ? waiting.isWanted(hash) : held != nullptr && heldBackBefore(*held) != nullptr;
  if (mayComplete) retryWaiting();
  return has(hash) ? Taken::STORED : Taken::WAITING;
}

// One that is refused now would have been refused on arrival; it is dropped the same way.
void MembershipLog::retryWaiting() {
  while (storeReady()) {}
}

bool MembershipLog::storeReady() {
  for (auto& op: waiting.all()) {
    // What a flood consists of comes with whoever rests on it.
    if (hasFlooded(op.op.author)) continue;
    auto before = heldBackBefore(op);
    KJ_IF_MAYBE(heldBack, before) {
      auto ready = waiting.take(op.hash);
      if (has(ready.hash)) return true;
      if (heldBack->empty()) {
        (void)store(kj::mv(ready));
      } else {
        storeWith(*heldBack, kj::mv(ready));
      }
      return true;
    }
  }
  return false;
}

// The ops of floods, in a topological order, that the op rests on and that are not stored. None: something
// is missing that does not wait here.
kj::Maybe<std::vector<OpHash>> MembershipLog::heldBackBefore(const SealedOp& op) const {
  std::vector<OpHash> order;
  std::set<OpHash> seen;
  // Depth first, without recursion: each is looked at again when all before it are in the order.
  std::vector<std::pair<const SealedOp*, bool>> open = {{&op, false}};
  while (!open.empty()) {
    auto [next, isDone] = open.back();
    open.pop_back();
    if (isDone) {
      if (next != &op) order.push_back(next->hash);
      continue;
    }
    open.emplace_back(next, true);
    for (auto& hash: next->before()) {
      if (has(hash) || !seen.insert(hash).second) continue;
      auto* missing = waiting.find(hash);
      if (missing == nullptr || !hasFlooded(missing->op.author)) return nullptr;
      open.emplace_back(missing, false);
    }
  }
  return kj::mv(order);
}

// All or nothing: an op that turns out to be none brings in no part of a flood.
void MembershipLog::storeWith(const std::vector<OpHash>& heldBack, SealedOp&& op) {
  auto author = op.op.author;
  if (badRests[author] >= BAD_RESTS_MAX || !isSignedByMember(op)) return;
  auto before = table;
  bool stored = true;
  for (auto& hash: heldBack) {
    auto copy = *waiting.find(hash);
    stored = stored && store(kj::mv(copy)).has_value();
  }
  stored = stored && store(kj::mv(op)).has_value();
  if (!stored) {
    ++badRests[author];
    table = kj::mv(before);
    resolver = Resolver();
    return;
  }
  for (auto& hash: heldBack) waiting.take(hash);
}

bool MembershipLog::isSignedByMember(const SealedOp& op) const {
  OpRecord record{.sealed = op};
  return op.op.kind != OpKind::GENESIS && checkSignatures(record, state()).has_value();
}

std::vector<Bytes> MembershipLog::envelopes(size_t from) const {
  std::vector<Bytes> found;
  for (auto i = static_cast<OpIndex>(from); i < table.size(); ++i) found.push_back(envelopeOf(i));
  return found;
}

Bytes MembershipLog::envelopeOf(OpIndex op) const { return view(table[op].sealed.envelope); }

OpSet MembershipLog::counted() const {
  auto all = OpSet::firstOf(table.size());
  return all - floodsIn(table, all).outside;
}

OpSet MembershipLog::headOps() const {
  auto among = counted();
  if (among.count() == table.size()) return table.heads();
  OpSet heads;
  for (auto op: among) {
    heads -= table[op].past;
    heads.insert(op);
  }
  return heads;
}

std::vector<OpHash> MembershipLog::heads() const {
  std::vector<OpHash> found;
  for (auto op: headOps()) found.push_back(table[op].sealed.hash);
  if (found.size() > Op::PARENTS_MAX) found.erase(found.begin(), found.end() - Op::PARENTS_MAX);
  std::ranges::sort(found);
  return found;
}

OpSet MembershipLog::heldBy(const std::vector<OpHash>& peerHeads) const {
  OpSet held;
  for (auto& hash: peerHeads) {
    KJ_IF_MAYBE(index, table.find(hash)) {
      held |= table[*index].past;
      held.insert(*index);
    }
  }
  return held;
}

std::vector<Bytes> MembershipLog::envelopesBeyond(const std::vector<OpHash>& peerHeads) const {
  std::vector<Bytes> missing;
  for (auto op: OpSet::firstOf(table.size()) - heldBy(peerHeads)) missing.push_back(envelopeOf(op));
  return missing;
}

std::vector<LogFork> MembershipLog::forksBeyond(const std::vector<OpHash>& peerHeads) const {
  return forksWithin(OpSet::firstOf(table.size()) - heldBy(peerHeads));
}

std::vector<LogFork> MembershipLog::forksSince(size_t from) const {
  return forksWithin(OpSet::firstOf(table.size()) - OpSet::firstOf(static_cast<OpIndex>(from)));
}

std::vector<LogFork> MembershipLog::forksWithin(const OpSet& fresh) const {
  std::vector<LogFork> forks;
  for (auto& [place, rivals]: table.rivals()) {
    if (!rivals.intersects(fresh)) continue;
    auto first = *rivals.begin();
    forks.push_back({envelopeOf(first), envelopeOf(rivals.last())});
  }
  return forks;
}

std::vector<Bytes> MembershipLog::envelopesForRemoved(const DeviceId& device) const {
  std::vector<Bytes> allowed;
  auto& now = resolution();
  for (OpIndex op = 0; op < table.size(); ++op) {
    if (now.voided.contains(op) || !endsPart(table, op, device)) continue;
    for (auto before: table[op].past) allowed.push_back(envelopeOf(before));
    allowed.push_back(envelopeOf(op));
    break;
  }
  return allowed;
}

std::map<DeviceId, std::pair<uint64_t, OpHash>> MembershipLog::newestByAuthor() const {
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newest;
  for (auto& record: table) {
    auto& entry = newest[record.op().author];
    if (record.op().seq > entry.first) entry = {record.op().seq, record.sealed.hash};
  }
  return newest;
}

Op MembershipLog::draft(const DeviceId& author) const {
  Op op{.circle = circleId, .author = author, .seq = 1};
  for (auto own: table.writtenBy(author)) {
    auto& record = table[own];
    if (record.op().seq < op.seq) continue;
    op.seq = record.op().seq + 1;
    op.prevOwn = record.sealed.hash;
  }
  op.parents = heads();
  for (auto& before: SealedOp{.op = op}.before()) {
    KJ_IF_MAYBE(index, table.find(before))
      op.lamport = std::max(op.lamport, table[*index].op().lamport + 1);
  }
  return op;
}

}  // namespace hearth::crypto
