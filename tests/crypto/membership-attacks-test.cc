// Attacks on a circle's log (SECURITY.md §12.2), one test for each that needs no more than logs.

#include "crypto/identity/shares.h"
#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

constexpr int64_t TEN_YEARS_MS = int64_t{3'652} * 86'400'000;

// The same device, as it was when only `upto` ops were on its disk.
struct Twin: Device {
  Twin(uint8_t seed, const MembershipLog& upto, size_t ops): Device(seed) {
    log = kj::heap<MembershipLog>(upto.circle());
    auto envelopes = upto.envelopes();
    for (size_t i = 0; i < ops; ++i) take(envelopes[i]);
  }
};

// Somebody has copied the disk of an admin, the laptop; laptop and copy go on as they like.
struct CopiedLaptop: Circle {
  kj::Own<Twin> copy;

  CopiedLaptop() {
    phone.add(laptop, Role::ADMIN);
    phone.add(watch, Role::MEMBER);
    laptop.takeAll(phone);
    copy = kj::heap<Twin>(2, *laptop.log, laptop.log->size());
  }
  // Laptop and copy each bring somebody in, under one number.
  void goOnApart() {
    Device box(8), other(9);
    laptop.add(box, Role::MEMBER);
    copy->add(other, Role::MEMBER);
  }
};

// What `host` finds out when `caller` states what it has, and the other way round.
struct Contact {
  LogExchange::Step atHost, atCaller;
  Contact(Device& host, Device& caller) {
    LogExchange h(*host.log, caller.keys.id, false, host.keys.id);
    LogExchange c(*caller.log, host.keys.id, false, caller.keys.id);
    auto stated = c.heads();
    atCaller = c.confirmed(h.heads()).value();
    atHost = h.confirmed(stated).value();
  }
};

TEST_CASE(
    "T2: a device that was put back to an older copy is found out by its peer, and by itself") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  auto copied = circle.laptop.log->size();
  Device box(8);
  circle.laptop.add(box, Role::MEMBER);
  circle.phone.takeAll(circle.laptop);
  {
    Contact honest(circle.phone, circle.laptop);
    REQUIRE_FALSE(honest.atHost.peerIsBehind);
    REQUIRE_FALSE(honest.atCaller.selfIsBehind);
  }
  Twin restored(2, *circle.laptop.log, copied);
  Contact contact(circle.phone, restored);
  REQUIRE(contact.atHost.peerIsBehind);
  REQUIRE_FALSE(contact.atHost.selfIsBehind);
  REQUIRE(contact.atCaller.selfIsBehind);
  REQUIRE_FALSE(contact.atCaller.peerIsBehind);
}

TEST_CASE("a peer whose own op has overtaken what it stated is not taken for an older copy") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.laptop.takeAll(circle.phone);
  LogExchange phones(*circle.phone.log, circle.laptop.keys.id, false, circle.phone.keys.id);
  LogExchange laptops(*circle.laptop.log, circle.phone.keys.id, false, circle.laptop.keys.id);
  auto stated = laptops.heads();
  // Meanwhile the two have another link, which is faster.
  Device box(8);
  circle.laptop.add(box, Role::MEMBER);
  circle.phone.takeAll(circle.laptop);
  REQUIRE_FALSE(phones.confirmed(stated).value().peerIsBehind);
}

TEST_CASE(
    "T2: a restored device that went on by itself is found out by the hash of its newest op") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  auto copied = circle.laptop.log->size();
  Device box(8), other(9);
  circle.laptop.add(box, Role::MEMBER);
  circle.phone.takeAll(circle.laptop);
  Twin restored(2, *circle.laptop.log, copied);
  restored.add(other, Role::MEMBER);
  Contact contact(circle.phone, restored);
  REQUIRE(contact.atHost.peerIsBehind);
  REQUIRE(contact.atCaller.selfIsBehind);
}

TEST_CASE("T3: a log with its newest ops cut off is told of them, and of its own by name") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.laptop.newEpoch();
  circle.phone.takeAll(circle.laptop);
  Twin cut(2, *circle.laptop.log, circle.laptop.log->size() - 1);
  Contact contact(circle.phone, cut);
  REQUIRE(contact.atCaller.selfIsBehind);
  exchangeAll(circle.phone, cut);
  REQUIRE(cut.log->heads() == circle.phone.log->heads());
}

TEST_CASE("T4: an author of two ops under one number is suspended everywhere, and both are kept") {
  CopiedLaptop circle;
  circle.goOnApart();
  for (auto* device: {&circle.phone, &circle.watch}) {
    device->takeAll(circle.laptop);
    device->takeAll(*circle.copy);
    REQUIRE(device->sees(circle.laptop) == MemberStatus::SUSPENDED);
    auto newest = circle.laptop.log->newestByAuthor().at(circle.laptop.keys.id).second;
    auto rival = circle.copy->log->newestByAuthor().at(circle.laptop.keys.id).second;
    REQUIRE(device->log->has(newest));
    REQUIRE(device->log->has(rival));
  }
}

TEST_CASE(
    "T5: two peers that were shown different heads find the split and mend it in one exchange") {
  CopiedLaptop circle;
  circle.goOnApart();
  exchangeAll(circle.laptop, circle.phone);
  exchangeAll(*circle.copy, circle.watch);
  REQUIRE(circle.phone.sees(circle.laptop) == MemberStatus::ACTIVE);
  exchangeAll(circle.phone, circle.watch);
  for (auto* device: {&circle.phone, &circle.watch})
    REQUIRE(device->sees(circle.laptop) == MemberStatus::SUSPENDED);
  REQUIRE(circle.phone.log->heads() == circle.watch.log->heads());
}

TEST_CASE("the proof of a fork goes ahead of everything that a peer lacks") {
  CopiedLaptop circle;
  for (uint8_t seed = 20; seed < 24; ++seed) {
    Device one(seed);
    circle.phone.add(one, Role::MEMBER);
  }
  Device box(8);
  circle.laptop.newEpoch();
  circle.copy->add(box, Role::MEMBER);
  circle.phone.takeAll(circle.laptop);
  circle.phone.takeAll(*circle.copy);
  LogExchange host(*circle.phone.log, circle.watch.keys.id, false);
  LogExchange caller(*circle.watch.log, circle.phone.keys.id, false);
  auto messages = host.confirmed(caller.heads()).value().send;
  MessageReader reader;
  auto first = reader.feed(messages).value();
  constexpr uint8_t FORK = 5;
  REQUIRE(first[0].kind == FORK);
  REQUIRE(caller.confirmed(host.heads()).has_value());
  for (auto& op: caller.received(messages).value().ops) {
    if (!circle.watch.log->add(op).has_value()) FAIL("an op of the exchange was refused");
  }
  REQUIRE(circle.watch.sees(circle.laptop) == MemberStatus::SUSPENDED);
  REQUIRE(circle.watch.log->heads() == circle.phone.log->heads());
}

TEST_CASE("T18: what ops say of the time changes nothing") {
  std::vector<std::vector<MemberStatus>> outcomes;
  for (auto wallMs: {int64_t{1}, TEN_YEARS_MS, -TEN_YEARS_MS}) {
    Circle circle;
    circle.phone.add(circle.laptop, Role::ADMIN);
    circle.phone.add(circle.watch, Role::MEMBER);
    circle.laptop.takeAll(circle.phone);
    auto& laptop = circle.laptop;
    laptop.take(
        authorRemove(*laptop.log, laptop.keys, circle.watch.keys.id, RemoveReason::LOST, wallMs));
    laptop.take(
        authorEpoch(*laptop.log, laptop.epochs, laptop.keys, -wallMs, laptop.entropy).value());
    circle.phone.remove(laptop);
    circle.phone.takeAll(laptop);
    outcomes.push_back({circle.phone.sees(circle.laptop), circle.phone.sees(circle.watch)});
  }
  REQUIRE(outcomes[0] == outcomes[1]);
  REQUIRE(outcomes[0] == outcomes[2]);
}

TEST_CASE("T19: ops of a stolen device that are dated before its Remove and come later are void") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.remove(circle.laptop);
  circle.phone.newEpoch();
  Device thief(9);
  auto& laptop = circle.laptop;  // it has not heard of its removal
  Join join{laptop.log->circle(), thief.bundle.hash(), laptop.keys.id, Role::MEMBER};
  auto add = authorAdd(*laptop.log, laptop.epochs, laptop.keys, thief.bundle,
      thief.bundle.seal(thief.keys), join.seal(thief.keys), Role::MEMBER, -TEN_YEARS_MS,
      laptop.entropy)
                 .value();
  laptop.take(add);
  circle.phone.takeAll(laptop);
  REQUIRE(circle.phone.log->has(add.hash));
  REQUIRE_FALSE(circle.phone.log->applies(add.hash));
  REQUIRE(circle.phone.log->state().find(thief.keys.id) == nullptr);
}

TEST_CASE("T21: a removed device and a member that helps it come to no link, op or epoch") {
  Circle circle;
  Device helper(8);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.phone.add(helper, Role::MEMBER);
  circle.phone.remove(circle.watch);
  circle.phone.newEpoch();
  helper.takeAll(circle.phone);
  circle.watch.takeAll(helper);  // the member hands on all that it has
  auto own = circle.watch.say(LeavePayload{});
  Join join{helper.log->circle(), circle.watch.bundle.hash(), helper.keys.id, Role::MEMBER};
  auto add = authorAdd(*helper.log, helper.epochs, helper.keys, circle.watch.bundle,
      circle.watch.bundle.seal(circle.watch.keys), join.seal(circle.watch.keys), Role::MEMBER, 1,
      helper.entropy)
                 .value();
  helper.take(add);
  auto epoch = authorEpoch(*helper.log, helper.epochs, helper.keys, 1, helper.entropy).value();
  helper.take(epoch);
  circle.phone.takeAll(helper);
  circle.phone.takeAll(circle.watch);
  for (auto& hash: {own.hash, add.hash, epoch.hash}) REQUIRE_FALSE(circle.phone.log->applies(hash));
  REQUIRE(circle.phone.sees(circle.watch) == MemberStatus::REMOVED);
  // What the member has handed on, it has; what comes next, it has not.
  circle.phone.newEpoch();
  circle.watch.takeAll(circle.phone);
  auto next = KJ_ASSERT_NONNULL(circle.phone.log->state().epoch).id;
  REQUIRE(circle.watch.epochs.secret(next) == nullptr);
}

TEST_CASE("T23: a device that one admin removes while another adds or reinstates it is removed") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  Device box(8);
  circle.phone.add(box, Role::MEMBER);
  circle.laptop.add(box, Role::MEMBER);
  circle.laptop.remove(box);
  Twin forked(3, *circle.laptop.log, circle.laptop.log->size());
  circle.watch.takeAll(circle.laptop);
  circle.watch.say(DeviceMetaPayload{std::vector<kj::byte>(72)});
  forked.say(DeviceMetaPayload{std::vector<kj::byte>(73)});
  for (auto* admin: {&circle.phone, &circle.laptop}) {
    admin->takeAll(circle.watch);
    admin->takeAll(forked);
    REQUIRE(admin->sees(circle.watch) == MemberStatus::SUSPENDED);
  }
  circle.phone.remove(circle.watch);
  circle.laptop.say(ReinstatePayload{circle.watch.keys.id});
  REQUIRE(circle.laptop.sees(circle.watch) == MemberStatus::ACTIVE);
  circle.phone.takeAll(circle.laptop);
  circle.laptop.takeAll(circle.phone);
  for (auto* admin: {&circle.phone, &circle.laptop}) {
    REQUIRE(admin->sees(box) == MemberStatus::REMOVED);
    REQUIRE(admin->sees(circle.watch) == MemberStatus::REMOVED);
  }
}

TEST_CASE("T25: one admin that signs twice, and cosigners who are no admins, weigh nothing") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  circle.phone.add(circle.watch, Role::MEMBER);
  circle.laptop.takeAll(circle.phone);
  auto& phone = circle.phone;
  SetRolePayload promotion{circle.watch.keys.id, Role::ADMIN};
  auto alone = phone.say(promotion);
  REQUIRE_FALSE(phone.log->applies(alone.hash));
  auto withMember = phone.say(promotion, {&circle.watch});
  REQUIRE_FALSE(phone.log->applies(withMember.hash));
  auto refused = [&](std::vector<DeviceId> cosigners, std::vector<const SignSecret*> secrets) {
    auto op = draftChange(*phone.log, phone.keys.id, kj::mv(cosigners), promotion, 1);
    auto sealed = sealOp(op, kj::arrayPtr(secrets.data(), secrets.size()));
    return phone.log->add(view(sealed.envelope)).error().code;
  };
  auto own = &phone.keys.ed, other = &circle.laptop.keys.ed;
  REQUIRE(refused({phone.keys.id}, {own, own}) == Errc::BAD_FORMAT);
  auto twice = circle.laptop.keys.id;
  REQUIRE(refused({twice, twice}, {own, other, other}) == Errc::BAD_FORMAT);
  Device outsider(9);
  REQUIRE(refused({outsider.keys.id}, {own, &outsider.keys.ed}) == Errc::BAD_SIGNATURE);
  auto byBoth = phone.say(promotion, {&circle.laptop});
  REQUIRE(phone.log->applies(byBoth.hash));
  REQUIRE(phone.roleOf(circle.watch) == Role::ADMIN);
}

struct Recovered {
  Circle circle;
  Device fresh{8};
  RecoveryKeys next = RecoveryKeys::fromSeed(RecoverySeed::draw(fresh.entropy));

  Recovered() {
    circle.phone.add(circle.watch, Role::MEMBER);
    fresh.log = kj::heap<MembershipLog>(circle.phone.log->circle());
    fresh.takeAll(circle.phone);
    fresh.epochs.learn(*fresh.log, fresh.keys);
    fresh.take(authorReset(*fresh.log, circle.recovery, next, fresh.keys, fresh.bundle, 1));
    EpochKeys known;
    known.learn(*fresh.log, circle.recovery);
    fresh.take(authorEpoch(*fresh.log, known, fresh.keys, 1, fresh.entropy).value());
  }
};

TEST_CASE("after a recovery the new device is alone, an admin, and reads what was written before") {
  Recovered now;
  auto& state = now.fresh.log->state();
  REQUIRE(state.countActive() == 1);
  REQUIRE(now.fresh.roleOf(now.fresh) == Role::ADMIN);
  REQUIRE(now.fresh.sees(now.circle.phone) == MemberStatus::REMOVED);
  REQUIRE_FALSE(state.epochDue());
  auto before = KJ_ASSERT_NONNULL(now.circle.phone.log->state().epoch).id;
  REQUIRE(now.fresh.epochs.secret(before) != nullptr);
  Device next(9);
  now.fresh.add(next, Role::MEMBER);
  REQUIRE(now.fresh.sees(next) == MemberStatus::ACTIVE);
}

TEST_CASE(
    "T20: a device that a recovery left behind learns of the recovery and of nothing after it") {
  Recovered now;
  exchangeAll(now.fresh, now.circle.phone);
  REQUIRE(now.circle.phone.sees(now.circle.phone) == MemberStatus::REMOVED);
  REQUIRE(now.circle.phone.log->size() == now.fresh.log->size() - 1);  // without the new epoch
}

TEST_CASE("T28: a recovery key that was replaced resets nothing any more") {
  Recovered now;
  Device thief(9);
  auto theirs = RecoveryKeys::fromSeed(RecoverySeed::draw(thief.entropy));
  auto again =
      authorReset(*now.fresh.log, now.circle.recovery, theirs, thief.keys, thief.bundle, 1);
  now.fresh.take(again);
  REQUIRE_FALSE(now.fresh.log->applies(again.hash));
  REQUIRE(now.fresh.log->state().find(thief.keys.id) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(now.fresh.log->state().recovery).id == now.next.id);
}

TEST_CASE("T28: shares that were changed, come twice or are of different sets give no key") {
  CountingEntropy entropy(3);
  auto seed = RecoverySeed::draw(entropy);
  auto set = entropy.draw<ShareSetId>(), otherSet = entropy.draw<ShareSetId>();
  auto coefficients = ShareCoefficients::draw(entropy);
  auto one = recoveryShare(seed, set, coefficients, 1),
       two = recoveryShare(seed, set, coefficients, 2);
  auto foreign = recoveryShare(seed, otherSet, coefficients, 2);
  REQUIRE(combineShares(one.reveal(), two.reveal()).value().equals(seed));
  REQUIRE(combineShares(one.reveal(), one.reveal()).error().code == Errc::BAD_FORMAT);
  REQUIRE(combineShares(one.reveal(), foreign.reveal()).error().code == Errc::BAD_FORMAT);
  two.writable()[20] ^= 1;
  REQUIRE(combineShares(one.reveal(), two.reveal()).error().code == Errc::BAD_MAC);
}

// An Epoch as its author made it, changed and signed again.
SealedOp changedEpoch(Device& author, void (*change)(EpochPayload&)) {
  auto epoch = authorEpoch(*author.log, author.epochs, author.keys, 1, author.entropy).value();
  auto payload =
      std::get<EpochPayload>(decodePayload(OpKind::EPOCH, view(epoch.op.payload)).value());
  change(payload);
  epoch.op.payload = encode(payload);
  return sealOp(epoch.op, author.keys.ed);
}

TEST_CASE("T29: an Epoch for too few or too many is void") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto missing = changedEpoch(circle.phone, [](EpochPayload& p) { p.seals.pop_back(); });
  auto extra = changedEpoch(circle.phone, [](EpochPayload& p) {
    p.seals.push_back(p.seals.back());
    memset(p.seals.back().recipient.bytes, 0xff, DeviceId::SIZE);
  });
  for (auto& op: {missing, extra}) {
    Twin phone(1, *circle.phone.log, circle.phone.log->size());
    phone.take(op);
    REQUIRE_FALSE(phone.log->applies(op.hash));
  }
}

TEST_CASE(
    "T29: an Epoch whose seals or commit were exchanged raises an alarm where it does not open") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto swapped = changedEpoch(circle.phone, [](EpochPayload& p) {
    std::swap(p.seals[0].ct, p.seals[1].ct);
    std::swap(p.seals[1].ct, p.seals[2].ct);
  });
  auto wrongCommit = changedEpoch(circle.phone, [](EpochPayload& p) { p.commit.bytes[0] ^= 1; });
  REQUIRE_FALSE(circle.watch.epochs.wasCheated(*circle.watch.log));
  for (auto& op: {swapped, wrongCommit}) {
    Twin watch(3, *circle.watch.log, circle.watch.log->size());
    watch.take(op);
    REQUIRE(watch.log->applies(op.hash));
    REQUIRE(watch.epochs.secret(op.hash) == nullptr);
    REQUIRE(watch.epochs.wasCheated(*watch.log));
  }
}

TEST_CASE("rotated keys go on in the role of the old ones, and know what those knew") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  auto& phone = circle.phone;
  Device renewed(8);
  phone.take(authorRotate(
      *phone.log, phone.epochs, phone.keys, renewed.keys, renewed.bundle, 1, phone.entropy)
          .value());
  renewed.log = kj::heap<MembershipLog>(phone.log->circle());
  renewed.takeAll(phone);
  REQUIRE(renewed.log->state().epochDue());
  renewed.newEpoch();
  circle.laptop.takeAll(renewed);
  REQUIRE(circle.laptop.sees(phone) == MemberStatus::RETIRED);
  REQUIRE(circle.laptop.sees(renewed) == MemberStatus::ACTIVE);
  REQUIRE(circle.laptop.roleOf(renewed) == Role::ADMIN);
  REQUIRE_FALSE(circle.laptop.log->state().epochDue());
  REQUIRE(renewed.epochs.secretsHeld() == 2);
  auto& rotatedFrom =
      KJ_ASSERT_NONNULL(circle.laptop.log->state().find(renewed.keys.id)).rotatedFrom;
  REQUIRE(rotatedFrom == std::set<DeviceId>{phone.keys.id});
}

TEST_CASE("a peer that does not know this device yet is sent what it takes of a stranger") {
  Circle circle;
  circle.phone.add(circle.laptop, Role::ADMIN);
  for (int i = 0; i < 80; ++i) circle.phone.newEpoch();
  circle.laptop.takeAll(circle.phone);
  Device box(8);
  circle.phone.add(box, Role::MEMBER);
  exchangeAll(circle.laptop, box, true);
  REQUIRE(circle.laptop.sees(box) == MemberStatus::ACTIVE);
}

TEST_CASE("a heartbeat is an admin's, newer than the last, and goes to whoever lacks it") {
  Circle circle;
  circle.phone.add(circle.watch, Role::MEMBER);
  auto& phone = circle.phone;
  Heartbeats atPhone, atWatch;
  Heartbeat beat{phone.log->circle(), phone.keys.id, 1, phone.log->heads()};
  REQUIRE(atPhone.take(*phone.log, beat.seal(phone.keys)).value());
  REQUIRE_FALSE(atPhone.take(*phone.log, beat.seal(phone.keys)).value());
  Heartbeat members{phone.log->circle(), circle.watch.keys.id, 1, {}};
  REQUIRE(atPhone.take(*phone.log, members.seal(circle.watch.keys)).error().code ==
      Errc::NOT_AUTHORISED);
  beat.counter = 2;
  auto forged = sealEnvelope(SigType::HEARTBEAT, Buffer(), phone.keys.id, circle.watch.keys.ed);
  REQUIRE(atPhone.take(*phone.log, forged).error().code == Errc::BAD_FORMAT);
  LogExchange host(*phone.log, circle.watch.keys.id, false, phone.keys.id, atPhone);
  LogExchange caller(*circle.watch.log, phone.keys.id, false, circle.watch.keys.id, atWatch);
  auto step = host.confirmed(caller.heads()).value();
  REQUIRE(caller.confirmed(host.heads()).has_value());
  auto received = caller.received(step.send).value();
  REQUIRE(received.heartbeats.size() == 1);
  REQUIRE(atWatch.take(*circle.watch.log, received.heartbeats[0]).value());
  REQUIRE(host.news().size() == 0);
  REQUIRE(atPhone.take(*phone.log, beat.seal(phone.keys)).value());
  REQUIRE(host.news().size() > 0);
}

}  // namespace
}  // namespace hearth::crypto
