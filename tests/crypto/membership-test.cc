#include "tests/crypto/small-circle.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

namespace hearth::crypto {
namespace {

TEST_CASE("a new circle has its admin and an epoch that the admin can open") {
  Circle circle;
  REQUIRE(circle.phone.sees(circle.phone) == MemberStatus::ACTIVE);
  REQUIRE_FALSE(circle.phone.log->state().epochDue());
  auto& epoch = KJ_ASSERT_NONNULL(circle.phone.log->state().epoch);
  REQUIRE(circle.phone.epochs.secret(epoch.id) != nullptr);
}

TEST_CASE("a device that was added shares a link PSK with the others by its grant") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto ab =
      circle.phone.epochs.linkPsk(*circle.phone.log, circle.phone.keys.id, circle.watch.keys.id);
  auto ba =
      circle.watch.epochs.linkPsk(*circle.watch.log, circle.watch.keys.id, circle.phone.keys.id);
  REQUIRE(KJ_ASSERT_NONNULL(ab).equals(KJ_ASSERT_NONNULL(ba)));
}

TEST_CASE("a VAULT shares link PSKs with the others, holds no secret, and has none with a VAULT") {
  Circle circle;
  Device other{5};
  circle.phone.add(circle.watch, Role::VAULT);
  circle.phone.add(other, Role::VAULT);
  circle.watch.takeAll(circle.phone);
  auto pskAt = [&](Device& self, Device& peer) {
    return self.epochs.linkPsk(*self.log, self.keys.id, peer.keys.id);
  };
  auto toVault = pskAt(circle.phone, circle.watch), fromVault = pskAt(circle.watch, circle.phone);
  REQUIRE(KJ_ASSERT_NONNULL(toVault).equals(KJ_ASSERT_NONNULL(fromVault)));
  REQUIRE(pskAt(circle.watch, other) == nullptr);
  REQUIRE(circle.watch.epochs.secretsHeld() == 0);
  circle.phone.newEpoch();
  circle.watch.takeAll(circle.phone);
  auto next = pskAt(circle.watch, circle.phone);
  REQUIRE_FALSE(KJ_ASSERT_NONNULL(next).equals(KJ_ASSERT_NONNULL(fromVault)));
  REQUIRE(circle.watch.epochs.secretsHeld() == 0);
}

TEST_CASE("after a removal and a new epoch the removed device has no PSK any more") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.remove(circle.watch);
  circle.phone.newEpoch();
  REQUIRE_FALSE(circle.phone.log->state().epochDue());
  circle.watch.takeAll(circle.phone);
  REQUIRE(circle.watch.sees(circle.watch) == MemberStatus::REMOVED);
  REQUIRE(circle.watch.epochs.linkPsk(
              *circle.watch.log, circle.watch.keys.id, circle.phone.keys.id) == nullptr);
}

TEST_CASE("T26: an Add without the new device's consent, or with another's, is refused") {
  Circle circle;
  Join other{
      circle.phone.log->circle(), circle.watch.bundle.hash(), circle.laptop.keys.id, Role::MEMBER};
  auto op = authorAdd(*circle.phone.log, circle.phone.epochs, circle.phone.keys,
      circle.watch.bundle, circle.watch.bundle.seal(circle.watch.keys),
      other.seal(circle.watch.keys), Role::MEMBER, 1, circle.phone.entropy)
                .value();
  REQUIRE(circle.phone.log->add(view(op.envelope)).error().code == Errc::BAD_SIGNATURE);
  REQUIRE(circle.phone.log->state().find(circle.watch.keys.id) == nullptr);
}

TEST_CASE("T27: an op of another circle is refused") {
  Circle one, two;
  auto recovery = RecoveryKeys::fromSeed(RecoverySeed::draw(two.phone.entropy));
  auto genesis = authorGenesis(recovery, two.phone.keys, two.phone.bundle, 9, two.phone.entropy);
  REQUIRE(one.phone.log->add(view(genesis.envelope)).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("an op with a flipped bit is refused") {
  Circle circle;
  auto op = authorRemove(
      *circle.phone.log, circle.phone.keys, circle.phone.keys.id, RemoveReason::LOST, 1);
  auto forged = op.envelope;
  forged.back() ^= 1;
  REQUIRE(circle.phone.log->add(view(forged)).error().code == Errc::BAD_SIGNATURE);
}

TEST_CASE("a member cannot add or remove anybody") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.watch.remove(circle.phone);
  REQUIRE(circle.watch.sees(circle.phone) == MemberStatus::ACTIVE);
}

TEST_CASE("T22: two admins that remove each other at once are both suspended, on every replica") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  circle.phone.remove(circle.laptop);
  circle.laptop.remove(circle.phone);
  circle.phone.takeAll(circle.laptop);
  circle.laptop.takeAll(circle.phone);
  for (auto* device: {&circle.phone, &circle.laptop}) {
    REQUIRE(device->sees(circle.phone) == MemberStatus::SUSPENDED);
    REQUIRE(device->sees(circle.laptop) == MemberStatus::SUSPENDED);
    REQUIRE(device->log->state().epochDue());
  }
}

TEST_CASE("T24: what a removed admin adds beside its removal is void with its dependents") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  Device stranger(9);
  circle.laptop.add(stranger, Role::MEMBER);
  circle.phone.remove(circle.laptop);
  circle.phone.takeAll(circle.laptop);
  REQUIRE(circle.phone.sees(circle.laptop) == MemberStatus::REMOVED);
  REQUIRE(circle.phone.log->state().find(stranger.keys.id) == nullptr);
}

TEST_CASE("a removed id never comes back") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.remove(circle.watch);
  auto log = circle.phone.log->circle();
  Join join{log, circle.watch.bundle.hash(), circle.phone.keys.id, Role::MEMBER};
  auto again = authorAdd(*circle.phone.log, circle.phone.epochs, circle.phone.keys,
      circle.watch.bundle, circle.watch.bundle.seal(circle.watch.keys),
      join.seal(circle.watch.keys), Role::MEMBER, 1, circle.phone.entropy)
                   .value();
  circle.phone.take(again);
  REQUIRE(circle.phone.sees(circle.watch) == MemberStatus::REMOVED);
  REQUIRE_FALSE(circle.phone.log->applies(again.hash));
}

TEST_CASE("the state of a log does not depend on the order in which its ops arrive") {
  auto seed = GENERATE(range(0, 20));
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  Device box(8), tv(7);
  circle.phone.add(box, Role::MEMBER);
  circle.laptop.add(tv, Role::MEMBER);
  circle.laptop.remove(circle.watch);
  circle.laptop.newEpoch();
  circle.phone.newEpoch();
  circle.phone.takeAll(circle.laptop);

  auto envelopes = circle.phone.log->envelopes();
  CountingEntropy chance(static_cast<uint8_t>(seed + 1));
  for (size_t i = envelopes.size(); i > 1; --i)
    std::swap(envelopes[i - 1], envelopes[chance.draw<uint32_t>() % i]);
  MembershipLog shuffled(circle.phone.log->circle());
  for (auto envelope: envelopes) REQUIRE(shuffled.add(envelope).has_value());
  auto& a = circle.phone.log->state();
  auto& b = shuffled.state();
  REQUIRE(shuffled.size() == circle.phone.log->size());
  REQUIRE(KJ_ASSERT_NONNULL(a.epoch).id == KJ_ASSERT_NONNULL(b.epoch).id);
  for (auto& record: shuffled.ops()) {
    auto& hash = record.sealed.hash;
    REQUIRE(shuffled.applies(hash) == circle.phone.log->applies(hash));
  }
  for (auto& [id, member]: a.devices) {
    REQUIRE(KJ_ASSERT_NONNULL(b.find(id)).status == member.status);
    REQUIRE(KJ_ASSERT_NONNULL(b.find(id)).role == member.role);
  }
}

// Two admins bring one device in at once, each by another bundle of it.
TEST_CASE("a device that came in twice has the same bundle on every replica") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.laptop.takeAll(circle.phone);
  Device box(8);
  circle.phone.add(box, Role::MEMBER);
  box.bundle.flags = Bundle::BATTERY;
  circle.laptop.add(box, Role::MEMBER);
  auto first = circle.phone.log->envelopes(), second = circle.laptop.log->envelopes();
  MembershipLog one(circle.phone.log->circle()), other(circle.phone.log->circle());
  for (auto* envelopes: {&first, &second}) {
    for (auto envelope: *envelopes) REQUIRE(one.add(envelope).has_value());
  }
  for (auto* envelopes: {&second, &first}) {
    for (auto envelope: *envelopes) REQUIRE(other.add(envelope).has_value());
  }
  REQUIRE(one.size() == other.size());
  REQUIRE(one.state().hash() == other.state().hash());
}

TEST_CASE("an epoch that misses a recipient is void") {
  Circle circle;
  auto op = authorEpoch(
      *circle.phone.log, circle.phone.epochs, circle.phone.keys, 1, circle.phone.entropy)
                .value();
  auto payload = std::get<EpochPayload>(decodePayload(OpKind::EPOCH, view(op.op.payload)).value());
  payload.seals.pop_back();
  auto changed = op.op;
  changed.payload = encode(payload);
  auto forged = sealOp(changed, circle.phone.keys.ed);
  circle.phone.take(forged);
  REQUIRE_FALSE(circle.phone.log->applies(forged.hash));
}

// Two admins who do not hear each other each remove a device: every epoch there is was given to one of
// the two, the first one by a grant.
TEST_CASE("an epoch that was granted to a device that is out is stale like one sealed to it") {
  Circle circle;
  Device gpubox{4};
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.add(gpubox, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  circle.phone.remove(circle.watch);
  circle.phone.newEpoch();
  circle.laptop.remove(gpubox);
  circle.laptop.newEpoch();
  circle.phone.takeAll(circle.laptop);
  REQUIRE(circle.phone.log->state().epochDue());
  circle.phone.newEpoch();
  REQUIRE_FALSE(circle.phone.log->state().epochDue());
  auto epoch = KJ_ASSERT_NONNULL(circle.phone.log->state().epoch).id;
  for (auto out: {&circle.watch, &gpubox}) {
    out->log = kj::heap<MembershipLog>(circle.phone.log->circle());
    out->takeAll(circle.phone);
    REQUIRE(out->epochs.secret(epoch) == nullptr);
  }
}

TEST_CASE("an epoch is due where an Add and an Epoch did not know of each other") {
  Circle circle;
  Device gpubox{4};
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  circle.phone.add(gpubox, Role::MEMBER);
  circle.laptop.remove(circle.watch);
  circle.laptop.newEpoch();
  circle.laptop.takeAll(circle.phone);
  REQUIRE(circle.laptop.log->state().epochDue());
  circle.laptop.newEpoch();
  REQUIRE_FALSE(circle.laptop.log->state().epochDue());
  gpubox.takeAll(circle.laptop);
  REQUIRE(gpubox.epochs.linkPsk(*gpubox.log, gpubox.keys.id, circle.laptop.keys.id) != nullptr);
}

TEST_CASE("an exchange makes two logs equal") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.add(circle.laptop, Role::ADMIN);
  Device box(8);
  circle.laptop.add(box, Role::MEMBER);
  exchangeAll(circle.laptop, circle.watch);
  REQUIRE(circle.watch.log->size() == circle.laptop.log->size());
  exchangeAll(circle.watch, circle.phone);
  REQUIRE(circle.phone.log->heads() == circle.laptop.log->heads());
}

TEST_CASE("T20: a removed device is told of its removal and of nothing after it") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.remove(circle.watch);
  auto removal = circle.phone.log->size();
  circle.phone.newEpoch();
  exchangeAll(circle.phone, circle.watch);
  REQUIRE(circle.watch.log->size() == removal);
  REQUIRE(circle.watch.sees(circle.watch) == MemberStatus::REMOVED);
}

TEST_CASE("names of devices read back, and one that is none is refused") {
  auto plain = DeviceNames{kj::str("Küche"), kj::str("W2"), 3}.encode();
  auto names = DeviceNames::decode(plain).value();
  REQUIRE(names.name == "Küche");
  REQUIRE(names.encode() == plain);
  for (auto& bad:
      {std::string("a\nb"), std::string(), std::string(DeviceNames::NAME_BYTES_MAX + 1, 'n')}) {
    auto encoded = DeviceNames{kj::str(bad.c_str()), kj::str(), 0}.encode();
    REQUIRE(DeviceNames::decode(encoded).error().code == Errc::BAD_FORMAT);
  }
  REQUIRE(DeviceNames::decode(plain.slice(0, plain.size() - 1)).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("a sealed field opens in its own place alone") {
  CountingEntropy entropy(3);
  auto secret = EpochSecret::draw(entropy);
  FieldPlace place{CircleId(), entropy.draw<DeviceId>(), 7}, other = place;
  other.seq = 8;
  auto plain = "kitchen"_kj.asBytes();
  auto sealed = sealField(place, EpochId(), secret, entropy.draw<XChaChaPoly::Nonce>(), plain);
  REQUIRE(openField(place, secret, sealed).value() == plain);
  REQUIRE(openField(other, secret, sealed).error().code == Errc::DECRYPT_FAILED);
  REQUIRE(openField(place, secret, sealed.slice(0, 71)).error().code == Errc::BAD_FORMAT);
}

TEST_CASE("messages may be cut anywhere") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.add(circle.laptop, Role::MEMBER);
  LogExchange sender(*circle.phone.log, circle.watch.keys.id, false);
  LogExchange receiver(*circle.watch.log, circle.phone.keys.id, false);
  auto bytes = sender.confirmed(receiver.heads()).value().send;
  REQUIRE(receiver.confirmed(sender.heads()));
  size_t ops = 0;
  bool done = false;
  for (size_t i = 0; i < bytes.size(); i += 7) {
    auto step = receiver.received(bytes.slice(i, kj::min(i + 7, bytes.size()))).value();
    ops += step.ops.size();
    done = step.done;
  }
  REQUIRE(ops == 1);
  REQUIRE(done);
}

TEST_CASE("a stranger may push a little and is told nothing") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  LogExchange host(*circle.phone.log, Device(9).keys.id, true);
  auto step = host.confirmed(host.heads()).value();
  REQUIRE(step.send.size() == 5);  // DONE alone
  auto big = kj::heapArray<kj::byte>(LogExchange::STRANGER_BYTES_MAX + 1);
  memset(big.begin(), 0, big.size());
  REQUIRE_FALSE(host.received(big).has_value());
}

TEST_CASE("a whole log survives pairing's form") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto ops = decodeLog(encodeLog(*circle.phone.log)).value();
  REQUIRE(ops.size() == circle.phone.log->size());
  auto whole = encodeLog(*circle.phone.log);
  REQUIRE_FALSE(decodeLog(whole.slice(0, whole.size() - 1)).has_value());
}

}  // namespace
}  // namespace hearth::crypto
