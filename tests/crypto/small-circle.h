#pragma once
// A circle of a phone, a laptop and a watch, each with a log of its own, for tests of membership.

#include "core/entropy/entropy.h"
#include "crypto/identity/join.h"
#include "crypto/membership/author.h"
#include "crypto/membership/exchange.h"
#include "crypto/membership/sealed-field.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::crypto {

inline Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

// Draws the same bytes for the same seed.
class CountingEntropy final: public Entropy {
 public:
  explicit CountingEntropy(uint8_t seed): state(seed) {}
  void fill(kj::ArrayPtr<kj::byte> out) override {
    for (auto& b: out)
      b = static_cast<kj::byte>(
          (state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  }

 private:
  uint64_t state;
};

struct Device {
  CountingEntropy entropy;
  DeviceKeys keys;
  Bundle bundle;
  kj::Own<MembershipLog> log;
  EpochKeys epochs;

  explicit Device(uint8_t seed)
      : entropy(seed),
        keys(DeviceKeys::fromRootSeed(RootSeed::draw(entropy))),
        bundle{Platform::LINUX, 0, 1, keys.publics} {}

  void take(Bytes envelope) {
    auto taken = log->add(envelope);
    KJ_ASSERT(taken.has_value(), taken.error().because);
    epochs.learn(*log, keys);
  }
  void take(const SealedOp& op) { take(view(op.envelope)); }
  void takeAll(const Device& other) {
    for (auto envelope: other.log->envelopes()) take(envelope);
  }

  // Brings `other` in, which then has all that this device has.
  void add(Device& other, Role role) {
    Join join{log->circle(), other.bundle.hash(), keys.id, role};
    auto op = authorAdd(*log, epochs, keys, other.bundle, other.bundle.seal(other.keys),
        join.seal(other.keys), role, 1, entropy)
                  .value();
    take(op);
    other.log = kj::heap<MembershipLog>(log->circle());
    other.takeAll(*this);
  }
  void remove(const Device& other) {
    take(authorRemove(*log, keys, other.keys.id, RemoveReason::LOST, 1));
  }
  void newEpoch() { take(authorEpoch(*log, epochs, keys, 1, entropy).value()); }
  // Says `payload`, signed by the cosigners, too.
  SealedOp say(const Payload& payload, std::vector<const Device*> cosigners = {}) {
    std::ranges::sort(cosigners, {}, [](auto* device) { return device->keys.id; });
    std::vector<DeviceId> ids;
    std::vector<const SignSecret*> secrets = {&keys.ed};
    for (auto* device: cosigners) {
      ids.push_back(device->keys.id);
      secrets.push_back(&device->keys.ed);
    }
    auto op = sealOp(
        draftChange(*log, keys.id, ids, payload, 1), kj::arrayPtr(secrets.data(), secrets.size()));
    take(op);
    return op;
  }

  MemberStatus sees(const Device& other) const {
    return KJ_ASSERT_NONNULL(log->state().find(other.keys.id)).status;
  }
  Role roleOf(const Device& other) const {
    return KJ_ASSERT_NONNULL(log->state().find(other.keys.id)).role;
  }
};

// The same device, as it was when only `upto` ops were on its disk.
struct Twin: Device {
  Twin(uint8_t seed, const MembershipLog& upto, size_t ops): Device(seed) {
    log = kj::heap<MembershipLog>(upto.circle());
    auto envelopes = upto.envelopes();
    for (size_t i = 0; i < ops; ++i) take(envelopes[i]);
  }
};

struct Circle {
  Device phone{1}, laptop{2}, watch{3};

  RecoveryKeys recovery = RecoveryKeys::fromSeed(RecoverySeed::draw(phone.entropy));

  // `minSuite`: what its Genesis asks for.
  explicit Circle(uint8_t minSuite = 1) {
    auto genesis = authorGenesis(recovery, phone.keys, phone.bundle, 1, phone.entropy);
    if (minSuite != 1) genesis = askingFor(minSuite, genesis.op);
    phone.log = kj::heap<MembershipLog>(circleIdOf(genesis.op.body()));
    phone.take(genesis);
    phone.newEpoch();
  }

 private:
  SealedOp askingFor(uint8_t minSuite, Op op) const {
    auto payload = decodePayload(op.kind, view(op.payload)).value();
    std::get<GenesisPayload>(payload).minSuite = minSuite;
    op.payload = encode(payload);
    const SignSecret* signers[] = {&recovery.ed, &phone.keys.ed};
    return sealOp(op, signers);
  }
};

// Both sides confirm and deliver until nothing is under way.
inline void exchangeAll(Device& a, Device& b, bool bIsStranger = false) {
  LogExchange ea(*a.log, b.keys.id, bIsStranger, a.keys.id);
  LogExchange eb(*b.log, a.keys.id, false, b.keys.id);
  auto toB = ea.confirmed(eb.heads()).value().send;
  auto toA = eb.confirmed(ea.heads()).value().send;
  for (auto& op: ea.received(toA).value().ops) a.take(op);
  for (auto& op: eb.received(toB).value().ops) b.take(op);
}

}  // namespace hearth::crypto
