#include "crypto/membership/epoch-keys.h"

#include "crypto/membership/sealed-field.h"
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

void EpochKeys::learn(const MembershipLog& log, const DeviceId& own, const XWing::Secret& xw) {
  for (; looked < log.size(); ++looked) {
    auto& record = log.ops()[static_cast<OpIndex>(looked)];
    if (auto* epoch = record.as<EpochPayload>()) {
      for (auto& seal: epoch->seals) {
        if (seal.recipient == own) tryOpen(log, record, seal, record.sealed.hash, *epoch, xw);
      }
    }
    for (auto& grant: grantsIn(record.payload)) {
      if (grant.seal.recipient != own) continue;
      if (auto* epoch = epochPayload(log, grant.epoch))
        tryOpen(log, record, grant.seal, grant.epoch, *epoch, xw);
    }
  }
}

void EpochKeys::tryOpen(const MembershipLog& log, const OpRecord& carrier, const Seal& seal,
    const EpochId& epoch, const EpochPayload& payload, const XWing::Secret& own) {
  SealContext context{
      log.circle(), carrier.op().author, carrier.op().seq, carrier.op().prevOwn, payload.commit};
  auto opened = openSeal(context, seal, own);
  if (!opened) {
    unopened.insert(epoch);
    return;
  }
  if (seal.what == Sealed::VAULT_PSK) {
    auto psk = VaultPsk::from(opened->reveal());
    if (psk) vaultPsks.insert_or_assign(epoch, kj::mv(*psk));
    return;
  }
  auto secret = EpochSecret::from(opened->reveal());
  if (secret && epochCommit(log.circle(), payload.n, *secret) == payload.commit) {
    keep(log, epoch, kj::mv(*secret));
  } else {
    unopened.insert(epoch);
  }
}

// Walks back through history as far as each epoch's author could hand on the one before.
void EpochKeys::keep(const MembershipLog& log, EpochId epoch, EpochSecret secret) {
  for (;;) {
    auto& kept = secrets.insert_or_assign(epoch, kj::mv(secret)).first->second;
    if (auto* payload = epochPayload(log, epoch)) {
      auto previous = payload->previous;
      if (secrets.contains(previous)) return;
      if (auto* before = epochPayload(log, previous)) {
        auto back = backKey(kept, {log.circle(), previous});
        auto opened = XChaChaPoly::openSecret(back.reveal(), {}, payload->commit.asBytes(),
            kj::arrayPtr(payload->prevWrapped, EpochPayload::PREV_WRAPPED_BYTES));
        if (!opened) return;
        auto found = EpochSecret::from(opened->reveal());
        if (!found || epochCommit(log.circle(), before->n, *found) != before->commit) return;
        epoch = previous;
        secret = kj::mv(*found);
        continue;
      }
    }
    return;
  }
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

bool EpochKeys::wasCheated(const MembershipLog& log) const {
  KJ_IF_MAYBE(epoch, log.state().epoch) {
    return unopened.contains(epoch->id) && !secrets.contains(epoch->id) &&
        !vaultPsks.contains(epoch->id);
  }
  return false;
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

Result<Buffer> openForMembers(const Op& op, const EpochKeys& epochs, Bytes sealed) {
  auto epoch = epochOfField(sealed);
  if (!epoch) return no(epoch.error());
  KJ_IF_MAYBE(secret, epochs.secret(*epoch))
    return openField({op.circle, op.author, op.seq}, *secret, sealed);
  return no(Errc::EPOCH_UNKNOWN, "this device holds no secret to open that field with");
}

}  // namespace hearth::crypto
