// What two logs tell each other when their devices meet (SECURITY.md §5.7, §12.2): what the other lacks, that
// one of them was put back or copied, and how new everybody is.

#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

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
