// Which ops the slow account takes, and how it compares with the log that took the same.
#include "tests/crypto/slow-resolve.h"

#include <algorithm>

namespace hearth::crypto::slow {

namespace {
Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }
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
  // "One whose past is flooded may not be the first to rest on any part of the flood"
  if (withoutFloods(known.past, floodersOf(known.past)) != known.past) return false;
  places[sealed.hash] = ops.size();
  ops.push_back(kj::mv(known));
  return true;
}

bool Circle::signedBy(size_t o, const DeviceId& id) const {
  auto signers = ops[o].sealed.signers();
  return std::ranges::find(signers, id) != signers.end();
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
