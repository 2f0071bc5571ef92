#include "crypto/membership/log.h"

#include "crypto/membership/authority.h"
#include "crypto/membership/resolve.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

// Payload and the bundle in it; a bundle that does not open leaves the op without one, and so void.
Result<void> readPayload(OpRecord& record) {
  auto payload = view(record.op().payload);
  auto keep = [&](auto&& decoded) -> Result<void> {
    if (!decoded) return no(decoded.error());
    record.payload = kj::mv(*decoded);
    return {};
  };
  Result<void> read;
  switch (record.op().kind) {
    case OpKind::GENESIS:
      read = keep(decodeGenesis(payload));
      break;
    case OpKind::ADD:
      read = keep(decodeAdd(payload));
      break;
    case OpKind::REMOVE:
      read = keep(decodeRemove(payload));
      break;
    case OpKind::EPOCH:
      read = keep(decodeEpoch(payload));
      break;
  }
  if (!read) return read;
  kj::Maybe<Bytes> envelope;
  if (auto* genesis = std::get_if<GenesisPayload>(&record.payload))
    envelope = view(genesis->bundleEnvelope);
  if (auto* add = std::get_if<AddPayload>(&record.payload)) envelope = view(add->bundleEnvelope);
  KJ_IF_MAYBE(bytes, envelope) {
    auto bundle = Bundle::open(*bytes);
    if (!bundle) return no(bundle.error());
    record.bundle = *bundle;
  }
  return {};
}

}  // namespace

Result<MembershipLog::Taken> MembershipLog::add(Bytes envelope) {
  auto op = SealedOp::open(envelope);
  if (!op) return no(op.error());
  if (has(op->hash)) return Taken::KNOWN;
  bool ours = op->op.kind == OpKind::GENESIS ? circleIdOf(op->op.body()) == circleId
                                             : op->op.circle == circleId;
  if (!ours) return no(Errc::BAD_FORMAT, "an op of another circle");
  if (!hasParents(*op)) {
    enqueue(kj::mv(*op));
    return Taken::WAITING;
  }
  if (auto stored = store(kj::mv(*op)); !stored) return no(stored.error());
  retryWaiting();
  return Taken::STORED;
}

Result<void> MembershipLog::store(SealedOp&& op) {
  if (records.size() >= OPS_MAX) return no(Errc::LIMIT_EXCEEDED, "the membership log is full");
  OpRecord record{.sealed = kj::mv(op)};
  if (auto read = readPayload(record); !read) return read;
  record.past = pastOf(record.sealed);
  if (auto chained = checkChain(record); !chained) return chained;
  auto state = resolve(records, record.past);
  if (auto good = checkSignatures(record, state); !good) return good;
  judge(record, state);
  auto index = static_cast<OpIndex>(records.size());
  indexes[record.sealed.hash] = index;
  records.push_back(kj::mv(record));
  OpSet all;
  for (OpIndex i = 0; i <= index; ++i) all.insert(all.end(), i);
  resolved = resolve(records, all);
  return {};
}

bool MembershipLog::hasParents(const SealedOp& op) const {
  return std::ranges::all_of(op.before(), [&](auto& hash) { return has(hash); });
}

OpSet MembershipLog::pastOf(const SealedOp& op) const {
  OpSet past;
  for (auto& hash: op.before()) {
    auto index = indexes.at(hash);
    past.insert(index);
    past.insert(records[index].past.begin(), records[index].past.end());
  }
  return past;
}

// SECURITY.md §5.1: the author's chain and lamport, from the past alone.
Result<void> MembershipLog::checkChain(const OpRecord& record) const {
  auto& op = record.op();
  uint64_t lamport = 0;
  for (auto index: record.past) {
    auto& earlier = records[index].op();
    lamport = std::max(lamport, earlier.lamport + 1);
    if (earlier.author == op.author && earlier.seq >= op.seq)
      return no(Errc::EQUIVOCATION, "an author's chain that goes backwards");
  }
  if (op.lamport != lamport) return no(Errc::BAD_FORMAT, "a lamport number that does not fit");
  if (op.prevOwn.isZero()) return {};
  auto& previous = records[indexes.at(op.prevOwn)].op();
  if (previous.author != op.author || previous.seq + 1 != op.seq)
    return no(Errc::BAD_FORMAT, "an author's chain with a gap");
  return {};
}

Result<void> MembershipLog::checkSignatures(
    const OpRecord& record, const CircleState& state) const {
  auto body = record.op().body();
  auto keyOf = [&](const DeviceId& id) -> kj::Maybe<SignPublic> {
    if (auto* genesis = std::get_if<GenesisPayload>(&record.payload)) {
      if (recoveryId(genesis->recoveryEd, genesis->recoveryXw) == id) return genesis->recoveryEd;
      KJ_IF_MAYBE(bundle, record.bundle) {
        if (bundle->id() == id) return bundle->keys.ed;
      }
      return nullptr;
    }
    KJ_IF_MAYBE(recovery, state.recovery) {
      if (recovery->id == id) return recovery->ed;
    }
    KJ_IF_MAYBE(member, state.find(id)) return member->bundle.keys.ed;
    return nullptr;
  };
  if (record.op().kind == OpKind::GENESIS && record.op().cosigners.size() != 1)
    return no(Errc::BAD_FORMAT, "a Genesis without its first admin");
  for (auto& signature: record.sealed.signatures) {
    bool good = false;
    KJ_IF_MAYBE(key, keyOf(signature.signer)) {
      good = verify(*key, SigType::OP, body, signature.signature);
    }
    if (!good) return no(Errc::BAD_SIGNATURE, "an op whose signer is unknown or has not signed it");
  }
  return {};
}

void MembershipLog::judge(OpRecord& record, const CircleState& state) const {
  classify(state, record);
  record.weight = record.op().kind == OpKind::GENESIS ? WEIGHT_RECOVERY : weightIn(state, record);
  record.authorised = isAuthorised(state, record, circleId);
  record.rests = restsOf(record, state);
}

// The ops that made the signers what they are, for a weak op on admins the removals of admins that
// stand, and all that those rest on.
OpSet MembershipLog::restsOf(const OpRecord& record, const CircleState& state) const {
  OpSet rests;
  auto ground = [&](OpIndex index) {
    rests.insert(index);
    rests.insert(records[index].rests.begin(), records[index].rests.end());
  };
  auto signers = record.sealed.signers();
  bool weak = (record.raisesAdmin || record.removesAdmin) && record.weight == 1;
  for (auto index: record.past) {
    auto& earlier = records[index];
    if (state.voided.contains(earlier.sealed.hash)) continue;
    bool makesSigner = earlier.op().kind == OpKind::GENESIS;
    KJ_IF_MAYBE(bundle, earlier.bundle) {
      makesSigner = makesSigner || std::ranges::find(signers, bundle->id()) != signers.end();
    }
    if (makesSigner || (weak && earlier.removesAdmin)) ground(index);
  }
  return rests;
}

void MembershipLog::enqueue(SealedOp&& op) {
  waitingBytes += op.envelope.size();
  waiting.push_back(kj::mv(op));
  while (waiting.size() > WAITING_OPS_MAX || waitingBytes > WAITING_BYTES_MAX) {
    waitingBytes -= waiting.front().envelope.size();
    waiting.pop_front();
  }
}

void MembershipLog::retryWaiting() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto op = waiting.begin(); op != waiting.end(); ++op) {
      if (!hasParents(*op)) continue;
      auto ready = kj::mv(*op);
      waitingBytes -= ready.envelope.size();
      waiting.erase(op);
      // One that is refused now would have been refused on arrival; it is dropped the same way.
      if (!has(ready.hash)) moved = store(kj::mv(ready)).has_value() || moved;
      moved = true;
      break;
    }
  }
}

std::vector<Bytes> MembershipLog::envelopes(size_t from) const {
  std::vector<Bytes> found;
  for (size_t i = from; i < records.size(); ++i) found.push_back(view(records[i].sealed.envelope));
  return found;
}

std::vector<OpHash> MembershipLog::heads() const {
  std::set<OpHash> covered;
  for (auto& record: records) {
    for (auto& hash: record.sealed.before()) covered.insert(hash);
  }
  std::vector<OpHash> found;
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (found.size() < Op::PARENTS_MAX && !covered.contains(record->sealed.hash))
      found.push_back(record->sealed.hash);
  }
  std::ranges::sort(found);
  return found;
}

std::vector<Bytes> MembershipLog::envelopesBeyond(const std::vector<OpHash>& peerHeads) const {
  OpSet held;
  for (auto& hash: peerHeads) {
    auto found = indexes.find(hash);
    if (found == indexes.end()) continue;
    held.insert(found->second);
    held.insert(records[found->second].past.begin(), records[found->second].past.end());
  }
  std::vector<Bytes> missing;
  for (OpIndex i = 0; i < records.size(); ++i) {
    if (!held.contains(i)) missing.push_back(view(records[i].sealed.envelope));
  }
  return missing;
}

std::vector<Bytes> MembershipLog::envelopesForRemoved(const DeviceId& device) const {
  std::vector<Bytes> allowed;
  for (auto& record: records) {
    bool removes = record.isRemoval() && record.removal().target == device &&
        !resolved.voided.contains(record.sealed.hash);
    if (!removes) continue;
    for (auto index: record.past) allowed.push_back(view(records[index].sealed.envelope));
    allowed.push_back(view(record.sealed.envelope));
    break;
  }
  return allowed;
}

std::map<DeviceId, std::pair<uint64_t, OpHash>> MembershipLog::newestByAuthor() const {
  std::map<DeviceId, std::pair<uint64_t, OpHash>> newest;
  for (auto& record: records) {
    auto& entry = newest[record.op().author];
    if (record.op().seq > entry.first) entry = {record.op().seq, record.sealed.hash};
  }
  return newest;
}

Op MembershipLog::draft(const DeviceId& author) const {
  Op op{.circle = circleId, .author = author, .seq = 1};
  for (auto& record: records) {
    op.lamport = std::max(op.lamport, record.op().lamport + 1);
    if (record.op().author == author && record.op().seq >= op.seq) {
      op.seq = record.op().seq + 1;
      op.prevOwn = record.sealed.hash;
    }
  }
  op.parents = heads();
  return op;
}

}  // namespace hearth::crypto
