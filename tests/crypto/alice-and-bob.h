#pragma once
// Two devices of one circle and one epoch that shake hands.

#include "crypto/handshake/link-handshake.h"
#include "tests/crypto/seeded-entropy.h"

namespace hearth::crypto {

constexpr uint32_t ALICE_INDEX = 0x01020304, BOB_INDEX = 7;

inline Bytes bodyOf(const Buffer& record) {
  return record.slice(RECORD_HEADER_BYTES, record.size());
}

// The members in the order in which they depend.
struct AliceAndBob {
  SeededEntropy entropy{1};
  EphemeralGuard guard{[] {}};
  CircleId circle = entropy.draw<CircleId>();
  EpochId epoch = entropy.draw<EpochId>();
  EpochSecret secret = EpochSecret::draw(entropy);
  DeviceKeys aliceKeys = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  DeviceKeys bobKeys = DeviceKeys::fromRootSeed(RootSeed::draw(entropy));
  BundleHash aliceBundle = entropy.draw<BundleHash>();
  BundleHash bobBundle = entropy.draw<BundleHash>();
  LinkSelf alice{aliceKeys.id, aliceKeys.x, aliceBundle, circle, REHANDSHAKE_MAINS_S};
  LinkSelf bob{bobKeys.id, bobKeys.x, bobBundle, circle, REHANDSHAKE_BATTERY_S};

  LinkPsk psk() { return linkPsk(secret, {circle, epoch}, alice.id, bob.id); }
  LinkPeer bobAsPeer() { return {bob.id, bobKeys.publics.x, bobBundle}; }

  LinkInitiator initiator(bool withPsk, LinkPeer peer) {
    kj::Maybe<LinkInitiator::EpochPsk> epochPsk;
    if (withPsk) epochPsk = LinkInitiator::EpochPsk{epoch, psk()};
    return LinkInitiator::begin({alice, peer, ALICE_INDEX, 5}, kj::mv(epochPsk), entropy, guard)
        .value();
  }
  LinkInitiator initiator(bool withPsk = true) { return initiator(withPsk, bobAsPeer()); }

  Result<LinkResponder> responder(const Buffer& record) {
    return LinkResponder::open(bob, readHsInit(bodyOf(record)).value(), entropy, guard);
  }
  LinkResponder::Answer answer(LinkResponder& responder, LinkStatus status = LinkStatus::OK) {
    kj::Maybe<LinkPsk> known;
    if (responder.opening().protocol == Protocol::IKHFSPSK2) known = psk();
    return responder.answer(BOB_INDEX, kj::mv(known), aliceBundle, status).value();
  }
  struct Sessions {
    LinkSession alices, bobs;
  };
  Sessions handshake() {
    auto calling = initiator();
    auto called = responder(calling.initRecord()).value();
    auto answered = answer(called);
    return {calling.finish(bodyOf(answered.record)).value(), kj::mv(answered.session)};
  }
};

}  // namespace hearth::crypto
