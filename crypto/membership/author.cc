#include "crypto/membership/author.h"

#include "crypto/identity/join.h"
#include "crypto/membership/policy.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

namespace {

std::vector<kj::byte> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

SealContext contextOf(const Op& op, const Digest& commit) {
  return {op.circle, op.author, op.seq, op.prevOwn, commit};
}

// What a recipient is given of an epoch: the secret itself, or the VAULT's PSK.
Result<Seal> sealTo(const Op& op, const DeviceId& recipient, const XWing::Public& pk, Sealed what,
    const EpochSecret& secret, const Digest& commit, Entropy& entropy) {
  auto encaps = XWing::EncapsSeed::draw(entropy);
  auto context = contextOf(op, commit);
  if (what == Sealed::EPOCH_SECRET)
    return makeSeal(context, recipient, pk, what, secret.reveal(), encaps);
  auto psk = vaultPsk(secret, op.circle, commit, recipient);
  return makeSeal(context, recipient, pk, what, psk.reveal(), encaps);
}

// The current epoch, for a device that `op` brings in; nothing where its author does not hold it.
Result<std::vector<Grant>> grantTo(const MembershipLog& log, const EpochKeys& epochs, const Op& op,
    const Bundle& bundle, Role role, Entropy& entropy) {
  std::vector<Grant> grants;
  KJ_IF_MAYBE(epoch, log.state().epoch) {
    KJ_IF_MAYBE(secret, epochs.secret(epoch->id)) {
      auto what = role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
      auto seal = sealTo(op, bundle.id(), bundle.keys.xw, what, *secret, epoch->commit, entropy);
      if (!seal) return no(seal.error());
      grants.push_back({epoch->id, kj::mv(*seal)});
    }
  }
  return grants;
}

const XWing::Public& xwingOf(const CircleState& state, const DeviceId& id) {
  KJ_IF_MAYBE(recovery, state.recovery) {
    if (recovery->id == id) return recovery->xw;
  }
  return KJ_REQUIRE_NONNULL(state.find(id)).bundle().keys.xw;
}

}  // namespace

SealedOp authorGenesis(const RecoveryKeys& recovery, const DeviceKeys& admin, const Bundle& bundle,
    int64_t wallMs, Entropy& entropy) {
  GenesisPayload payload{.recoveryEd = recovery.edPk,
      .recoveryXw = recovery.xwPk,
      .bundleEnvelope = copy(bundle.seal(admin))};
  entropy.fill(payload.random.bytes);
  Op op{.kind = OpKind::GENESIS, .author = recovery.id, .seq = 1, .wallMs = wallMs};
  op.cosigners = {admin.id};
  op.payload = encode(payload);
  const SignSecret* signers[] = {&recovery.ed, &admin.ed};
  return sealOp(op, signers);
}

namespace {

// The grants are made for the op that carries them.
Result<Op> draftAddOf(const MembershipLog& log, const EpochKeys& epochs, const DeviceId& author,
    std::vector<DeviceId> cosigners, const Bundle& bundle, AddPayload payload, int64_t wallMs,
    Entropy& entropy) {
  payload.grants.clear();
  auto op = draftChange(log, author, kj::mv(cosigners), payload, wallMs);
  auto granted = grantTo(log, epochs, op, bundle, payload.role, entropy);
  if (!granted) return no(granted.error());
  payload.grants = kj::mv(*granted);
  op.payload = encode(payload);
  return op;
}

}  // namespace

Result<SealedOp> authorAdd(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const Bundle& bundle, Bytes bundleEnvelope, Bytes joinEnvelope,
    Role role, int64_t wallMs, Entropy& entropy) {
  AddPayload payload{
      .bundleEnvelope = copy(bundleEnvelope), .role = role, .joinEnvelope = copy(joinEnvelope)};
  auto op = draftAddOf(log, epochs, author.id, {}, bundle, kj::mv(payload), wallMs, entropy);
  if (!op) return no(op.error());
  return sealOp(*op, author.ed);
}

Result<Op> draftAdd(const MembershipLog& log, const EpochKeys& epochs, const DeviceId& author,
    std::vector<DeviceId> cosigners, AddPayload payload, int64_t wallMs, Entropy& entropy) {
  auto bundle =
      Bundle::open(kj::arrayPtr(payload.bundleEnvelope.data(), payload.bundleEnvelope.size()));
  if (!bundle) return no(bundle.error());
  return draftAddOf(
      log, epochs, author, kj::mv(cosigners), *bundle, kj::mv(payload), wallMs, entropy);
}

Op draftChange(const MembershipLog& log, const DeviceId& author, std::vector<DeviceId> cosigners,
    const Payload& payload, int64_t wallMs) {
  auto op = log.draft(author);
  op.kind = kindOf(payload);
  op.wallMs = wallMs;
  op.cosigners = kj::mv(cosigners);
  op.payload = encode(payload);
  return op;
}

RemovePayload removalOf(const MembershipLog& log, const DeviceId& target, RemoveReason reason) {
  RemovePayload payload{.target = target, .reason = reason};
  auto newest = log.newestByAuthor();
  if (auto found = newest.find(target); found != newest.end()) {
    payload.lastSeq = found->second.first;
    payload.lastHash = found->second.second;
  }
  return payload;
}

SealedOp authorRemove(const MembershipLog& log, const DeviceKeys& author, const DeviceId& target,
    RemoveReason reason, int64_t wallMs) {
  return sealOp(draftChange(log, author.id, {}, removalOf(log, target, reason), wallMs), author.ed);
}

Result<SealedOp> authorRotate(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const DeviceKeys& next, const Bundle& bundle, int64_t wallMs,
    Entropy& entropy) {
  auto role = KJ_REQUIRE_NONNULL(log.state().find(author.id), "only a member rotates keys").role;
  Join consent{log.circle(), bundle.hash(), author.id, role};
  RotateKeysPayload payload{
      .bundleEnvelope = copy(bundle.seal(next)), .joinEnvelope = copy(consent.seal(next))};
  auto op = draftChange(log, author.id, {}, payload, wallMs);
  auto granted = grantTo(log, epochs, op, bundle, role, entropy);
  if (!granted) return no(granted.error());
  payload.grants = kj::mv(*granted);
  op.payload = encode(payload);
  return sealOp(op, author.ed);
}

SealedOp authorReset(const MembershipLog& log, const RecoveryKeys& recovery,
    const RecoveryKeys& next, const DeviceKeys& admin, const Bundle& bundle, int64_t wallMs) {
  RecoveryResetPayload payload{
      .recoveryEd = next.edPk, .recoveryXw = next.xwPk, .bundleEnvelope = copy(bundle.seal(admin))};
  KJ_IF_MAYBE(epoch, log.state().epoch) payload.newestEpoch = epoch->id;
  return sealOp(draftChange(log, recovery.id, {}, payload, wallMs), recovery.ed);
}

Result<SealedOp> authorNames(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const DeviceNames& names, int64_t wallMs, Entropy& entropy) {
  auto op = log.draft(author.id);
  op.kind = OpKind::DEVICE_META;
  op.wallMs = wallMs;
  auto sealed = sealForMembers(log, epochs, op, names.encode(), entropy);
  if (!sealed) return no(sealed.error());
  op.payload = encode(DeviceMetaPayload{kj::mv(*sealed)});
  return sealOp(op, author.ed);
}

Result<std::vector<kj::byte>> sealForMembers(const MembershipLog& log, const EpochKeys& epochs,
    const Op& op, Bytes plain, Entropy& entropy) {
  KJ_IF_MAYBE(epoch, log.state().epoch) {
    KJ_IF_MAYBE(secret, epochs.secret(epoch->id)) {
      auto nonce = entropy.draw<XChaChaPoly::Nonce>();
      return copy(sealField({op.circle, op.author, op.seq}, epoch->id, *secret, nonce, plain));
    }
  }
  return no(Errc::EPOCH_UNKNOWN, "this device holds no secret to seal what members read");
}

Result<Op> draftPolicy(const MembershipLog& log, const EpochKeys& epochs, const DeviceId& author,
    std::vector<DeviceId> cosigners, PolicySetPayload payload, int64_t wallMs, Entropy& entropy) {
  auto op = log.draft(author);
  auto plain = clearTextOf(payload);
  if (!plain) return no(plain.error());
  auto sealed = sealForMembers(log, epochs, op, *plain, entropy);
  if (!sealed) return no(sealed.error());
  payload.sealed = kj::mv(*sealed);
  return draftChange(log, author, kj::mv(cosigners), kj::mv(payload), wallMs);
}

Result<SealedOp> authorEpoch(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, int64_t wallMs, Entropy& entropy) {
  auto op = log.draft(author.id);
  op.kind = OpKind::EPOCH;
  op.wallMs = wallMs;
  auto secret = EpochSecret::draw(entropy);
  EpochPayload payload;
  KJ_IF_MAYBE(current, log.state().epoch) {
    payload.n = current->n + 1;
    payload.previous = current->id;
  }
  payload.commit = epochCommit(log.circle(), payload.n, secret);
  // An author that was never given the previous secret cannot hand it on.
  KJ_IF_MAYBE(previous, epochs.secret(payload.previous)) {
    wrapPrevious(payload, log.circle(), secret, *previous);
  }
  for (auto& [id, what]: epochRecipients(log.state())) {
    auto seal = sealTo(op, id, xwingOf(log.state(), id), what, secret, payload.commit, entropy);
    if (!seal) return no(seal.error());
    payload.seals.push_back(kj::mv(*seal));
  }
  op.payload = encode(payload);
  return sealOp(op, author.ed);
}

}  // namespace hearth::crypto
