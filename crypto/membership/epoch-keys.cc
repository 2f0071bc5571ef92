#include "crypto/membership/epoch-keys.h"

#include "crypto/primitives/aead.h"

#include <algorithm>

namespace hearth::crypto {

const EpochPayload* epochPayload(const MembershipLog& log, const EpochId& epoch) {
  KJ_IF_MAYBE(index, log.ops().find(epoch)) return log.ops()[*index].as<EpochPayload>();
  return nullptr;
}

void wrapPrevious(EpochPayload& payload, const CircleId& circle, const EpochSecret& secret,
    const EpochSecret& previous) {
  auto back = backKey(secret, {circle, payload.previous});
  auto wrapped = XChaChaPoly::seal(back.reveal(), {}, payload.commit.asBytes(), previous.reveal());
  std::ranges::copy(wrapped, payload.prevWrapped);
}

void EpochKeys::learn(const MembershipLog& log, const DeviceKeys& own) {
  for (; looked < log.size(); ++looked) {
    auto& record = log.ops()[static_cast<OpIndex>(looked)];
    if (auto* epoch = record.as<EpochPayload>()) {
      for (auto& seal: epoch->seals) tryOpen(log, record, seal, record.sealed.hash, *epoch, own);
    }
    for (auto& grant: grantsIn(record.payload)) {
      if (auto* epoch = epochPayload(log, grant.epoch))
        tryOpen(log, record, grant.seal, grant.epoch, *epoch, own);
    }
  }
}

void EpochKeys::tryOpen(const MembershipLog& log, const OpRecord& carrier, const Seal& seal,
    const EpochId& epoch, const EpochPayload& payload, const DeviceKeys& own) {
  if (seal.recipient != own.id) return;
  SealContext context{
      log.circle(), carrier.op().author, carrier.op().seq, carrier.op().prevOwn, payload.commit};
  auto opened = openSeal(context, seal, own.xw);
  if (!opened) return;
  if (seal.what == Sealed::VAULT_PSK) {
    auto psk = VaultPsk::from(opened->reveal());
    if (psk) vaultPsks.insert_or_assign(epoch, kj::mv(*psk));
    return;
  }
  auto secret = EpochSecret::from(opened->reveal());
  if (secret && epochCommit(log.circle(), payload.n, *secret) == payload.commit)
    secrets.insert_or_assign(epoch, kj::mv(*secret));
}

kj::Maybe<const EpochSecret&> EpochKeys::secret(const EpochId& epoch) const {
  auto found = secrets.find(epoch);
  if (found == secrets.end()) return nullptr;
  return found->second;
}

kj::Maybe<const VaultPsk&> EpochKeys::ownVaultPsk(const EpochId& epoch) const {
  auto found = vaultPsks.find(epoch);
  if (found == vaultPsks.end()) return nullptr;
  return found->second;
}

kj::Maybe<LinkPsk> EpochKeys::linkPsk(
    const MembershipLog& log, const DeviceId& self, const DeviceId& peer) const {
  KJ_IF_MAYBE(epoch, log.state().epoch) {
    bool toVault = log.state()
                       .find(peer)
                       .map([](auto& member) { return member.role == Role::VAULT; })
                       .orDefault(false);
    if (auto own = vaultPsks.find(epoch->id); own != vaultPsks.end()) {
      if (toVault) return nullptr;
      return vaultLinkPsk(own->second, self, peer);
    }
    KJ_IF_MAYBE(known, secret(epoch->id)) {
      if (!toVault) return crypto::linkPsk(*known, {log.circle(), epoch->id}, self, peer);
      auto psk = vaultPsk(*known, log.circle(), epoch->commit, peer);
      return vaultLinkPsk(psk, peer, self);
    }
  }
  return nullptr;
}

}  // namespace hearth::crypto
