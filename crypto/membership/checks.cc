#include "crypto/membership/checks.h"

#include "crypto/identity/join.h"

namespace hearth::crypto {

namespace {

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

kj::Maybe<SignPublic> keyInGenesis(const OpRecord& record, const DeviceId& signer) {
  auto& genesis = *record.as<GenesisPayload>();
  if (recoveryId(genesis.recoveryEd, genesis.recoveryXw) == signer) return genesis.recoveryEd;
  if (record.bundle->bundle.id() == signer) return record.bundle->bundle.keys.ed;
  return nullptr;
}

kj::Maybe<SignPublic> keyIn(const CircleState& state, const DeviceId& signer) {
  auto recovery = state.recoveryKeys.find(signer);
  if (recovery != state.recoveryKeys.end()) return recovery->second;
  KJ_IF_MAYBE(member, state.find(signer)) return member->bundle().keys.ed;
  return nullptr;
}

}  // namespace

Result<void> checkChain(const OpTable& table, const OpRecord& record) {
  auto& op = record.op();
  uint64_t lamport = 0;
  for (auto& hash: record.sealed.before()) {
    KJ_IF_MAYBE(before, table.find(hash)) {
      lamport = std::max(lamport, table[*before].op().lamport + 1);
    }
  }
  if (op.lamport != lamport) return no(Errc::BAD_FORMAT, "a lamport number that does not fit");
  for (auto index: table.writtenBy(op.author) & record.past) {
    if (table[index].op().seq >= op.seq)
      return no(Errc::EQUIVOCATION, "an author's chain that goes backwards");
  }
  if (op.prevOwn.isZero()) return {};
  KJ_IF_MAYBE(index, table.find(op.prevOwn)) {
    auto& previous = table[*index].op();
    if (previous.author == op.author && previous.seq + 1 == op.seq) return {};
  }
  return no(Errc::BAD_FORMAT, "an author's chain with a gap");
}

Result<void> checkAllowance(const OpTable& table, const OpRecord& record, const Resolution& past) {
  auto& author = record.op().author;
  auto& own = table.writtenBy(author);
  auto written = (own & record.past).count();
  auto epochsOfOthers = ((table.epochs() & record.past) - own - past.voided).count();
  size_t allowance = ADMIN_OPS_MAX;
  KJ_IF_MAYBE(member, past.state.find(author)) {
    if (member->role != Role::ADMIN) allowance = MEMBER_OPS_MAX;
  }
  if (written < allowance * (1 + epochsOfOthers)) return {};
  return no(Errc::LIMIT_EXCEEDED, "an author that writes more than its share");
}

Result<void> checkSignatures(const OpRecord& record, const CircleState& past) {
  bool isGenesis = record.op().kind == OpKind::GENESIS;
  if (isGenesis && record.op().cosigners.size() != 1)
    return no(Errc::BAD_FORMAT, "a Genesis without its first admin");
  auto body = record.op().body();
  for (auto& signature: record.sealed.signatures) {
    auto key = isGenesis ? keyInGenesis(record, signature.signer) : keyIn(past, signature.signer);
    bool good = false;
    KJ_IF_MAYBE(known, key) good = verify(*known, SigType::OP, body, signature.signature);
    if (!good) return no(Errc::BAD_SIGNATURE, "an op whose signer is unknown or has not signed it");
  }
  return {};
}

Result<void> checkConsent(const OpRecord& record, const CircleState& past, const CircleId& circle) {
  Bytes envelope;
  kj::Maybe<Role> role;
  if (auto* add = record.as<AddPayload>()) {
    envelope = view(add->joinEnvelope);
    role = add->role;
  } else if (auto* rotate = record.as<RotateKeysPayload>()) {
    envelope = view(rotate->joinEnvelope);
    // By who is no device it is void whatever its consent says.
    role = past.find(record.op().author).map([](auto& member) { return member.role; });
  } else {
    return {};
  }
  auto join = Join::open(envelope, record.bundle->bundle);
  if (!join) return no(join.error());
  bool consents = join->circle == circle && join->admin == record.op().author &&
      join->role == role.orDefault(join->role);
  if (!consents) return no(Errc::BAD_SIGNATURE, "consent to another circle, admin or role");
  return {};
}

}  // namespace hearth::crypto
