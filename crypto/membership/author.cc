#include "crypto/membership/author.h"

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

Result<SealedOp> authorAdd(const MembershipLog& log, const EpochKeys& epochs,
    const DeviceKeys& author, const Bundle& bundle, Bytes bundleEnvelope, Bytes joinEnvelope,
    Role role, int64_t wallMs, Entropy& entropy) {
  auto op = log.draft(author.id);
  op.kind = OpKind::ADD;
  op.wallMs = wallMs;
  AddPayload payload{
      .bundleEnvelope = copy(bundleEnvelope), .role = role, .joinEnvelope = copy(joinEnvelope)};
  KJ_IF_MAYBE(epoch, log.state().epoch) {
    KJ_IF_MAYBE(secret, epochs.secret(epoch->id)) {
      auto what = role == Role::VAULT ? Sealed::VAULT_PSK : Sealed::EPOCH_SECRET;
      auto seal = sealTo(op, bundle.id(), bundle.keys.xw, what, *secret, epoch->commit, entropy);
      if (!seal) return no(seal.error());
      payload.grants.push_back({epoch->id, kj::mv(*seal)});
    }
  }
  op.payload = encode(payload);
  return sealOp(op, author.ed);
}

SealedOp authorRemove(const MembershipLog& log, const DeviceKeys& author, const DeviceId& target,
    RemoveReason reason, int64_t wallMs) {
  auto op = log.draft(author.id);
  op.kind = OpKind::REMOVE;
  op.wallMs = wallMs;
  RemovePayload payload{.target = target, .reason = reason};
  auto newest = log.newestByAuthor();
  if (auto found = newest.find(target); found != newest.end()) {
    payload.lastSeq = found->second.first;
    payload.lastHash = found->second.second;
  }
  op.payload = encode(payload);
  return sealOp(op, author.ed);
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
