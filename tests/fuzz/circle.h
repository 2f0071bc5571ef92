#pragma once
// A circle with an op of every kind in its log, and the keys of everybody in it. All that is random
// is drawn from fixed seeds.

#include "crypto/identity/join.h"
#include "crypto/membership/author.h"
#include "crypto/membership/sealed-field.h"
#include "tests/crypto/seeded-entropy.h"
#include "tests/fuzz/target.h"

#include <map>

namespace hearth::fuzz {

using namespace crypto;

struct Circle {
  static constexpr size_t DEVICES = 5;
  static constexpr size_t BASE_OPS = 5;  // Genesis, Epoch, and three devices added

  SeededEntropy entropy{41};
  RecoveryKeys recovery = RecoveryKeys::fromSeed(RecoverySeed::draw(entropy));
  std::vector<DeviceKeys> devices;  // phone and laptop (ADMIN), watch, VAULT, one not in the circle
  std::vector<Bundle> bundles;
  std::map<DeviceId, const SignSecret*> secrets;  // of all authors
  std::vector<SealedOp> ops;                      // in the order of the log
  std::vector<MembershipLog> logs;                // logs[i] holds the first i ops
  EpochKeys epochs;                               // as the phone knows them

  Circle() {
    for (size_t i = 0; i < DEVICES; ++i) {
      devices.push_back(DeviceKeys::fromRootSeed(RootSeed::draw(entropy)));
      bundles.push_back({Platform::LINUX, 0, 1, devices[i].publics});
    }
    for (auto& keys: devices) secrets[keys.id] = &keys.ed;
    secrets[recovery.id] = &recovery.ed;
    begin();
    live();
  }

  const MembershipLog& log() const { return logs.back(); }
  // Without the ops of live().
  const MembershipLog& base() const { return logs[BASE_OPS]; }

  // Signs as the op says, also for authors that no circle would let. An author without keys here
  // lends the phone's.
  SealedOp seal(const Op& op) const {
    std::vector<const SignSecret*> keys = {keyOf(op.author)};
    for (auto& cosigner: op.cosigners) keys.push_back(keyOf(cosigner));
    return sealOp(op, kj::arrayPtr(keys.data(), keys.size()));
  }
  const SignSecret* keyOf(const DeviceId& id) const {
    auto found = secrets.find(id);
    return found == secrets.end() ? &devices[0].ed : found->second;
  }
  // By its place: the devices, then the recovery key.
  const DeviceId& author(size_t place) const {
    place %= DEVICES + 1;
    return place < DEVICES ? devices[place].id : recovery.id;
  }

  static const Circle& get() {
    static const Circle circle;
    return circle;
  }

 private:
  void take(SealedOp op) {
    auto next = logs.back();
    auto taken = next.add(view(op.envelope));
    KJ_ASSERT(taken.has_value(), taken.error().because, static_cast<int>(op.op.kind));
    KJ_ASSERT(*taken == MembershipLog::Taken::STORED);
    epochs.learn(next, devices[0]);
    logs.push_back(kj::mv(next));
    ops.push_back(kj::mv(op));
  }
  void admit(size_t device, Role role) {
    Join join{log().circle(), bundles[device].hash(), devices[0].id, role};
    take(authorAdd(log(), epochs, devices[0], bundles[device],
        bundles[device].seal(devices[device]), join.seal(devices[device]), role, 1, entropy)
            .value());
  }
  void say(const DeviceId& author, const Payload& payload) {
    auto op = log().draft(author);
    op.kind = kindOf(payload);
    op.wallMs = 1;
    op.payload = encode(payload);
    take(seal(op));
  }

  void begin() {
    auto genesis = authorGenesis(recovery, devices[0], bundles[0], 1, entropy);
    logs.emplace_back(circleIdOf(genesis.op.body()));
    take(kj::mv(genesis));
    take(authorEpoch(log(), epochs, devices[0], 1, entropy).value());
    admit(1, Role::ADMIN);
    admit(2, Role::MEMBER);
    admit(3, Role::VAULT);
    KJ_ASSERT(ops.size() == BASE_OPS);
  }
  void live() {
    auto& phone = devices[0].id;
    auto& laptop = devices[1].id;
    auto& watch = devices[2].id;
    auto newest = bundles[0];
    ++newest.version;
    auto envelope = newest.seal(devices[0]);
    std::vector<kj::byte> sealed(80), bundle(envelope.begin(), envelope.end());
    say(phone, BundleUpdatePayload{bundle});
    say(phone, PolicySetPayload{1, sealed});
    say(laptop, PluginRevokePayload{Revoked::MODEL, {}});
    say(watch, DeviceMetaPayload{sealed});
    say(phone, AttestEnrollPayload{watch, 1, sealed, {}, {{0, {}}, {7, {}}}});
    say(laptop, CheckpointPayload{log().state().hash(), static_cast<uint32_t>(log().size())});
    say(phone, MinSuitePayload{1});
    say(recovery.id, SetRolePayload{watch, Role::ADMIN});
    take(authorRemove(log(), devices[1], watch, RemoveReason::LOST, 1));
    say(recovery.id, ReinstatePayload{watch});
    take(authorEpoch(log(), epochs, devices[0], 1, entropy).value());
    say(devices[3].id, LeavePayload{});
  }
};

}  // namespace hearth::fuzz
