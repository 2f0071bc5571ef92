// A policy and a least suite that two admins set together.

#include "tests/devices/two-admins.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

// What is asked for: the policy in the clear.
Payload policy(const crypto::Policy& said, uint64_t version = 1) {
  return crypto::inTheClear(version, said.encode());
}

struct PolicyAsked: TwoAdmins {
  crypto::Policy wanted{.staleDays = 14};
  ProposalId id = askAndTell(policy(wanted));

  PolicyAsked() { REQUIRE(asked.answer(*laptop.log, id, true).has_value()); }

  // The phone's op that seals that policy.
  crypto::Op sealing(const crypto::Policy& said, uint64_t version = 1) {
    auto payload = std::get<crypto::PolicySetPayload>(policy(said, version));
    return crypto::draftPolicy(
        *phone.log, phone.epochs, phone.keys.id, {laptop.keys.id}, payload, 1, phone.entropy)
        .value();
  }
};

TEST_CASE("a policy that two admins have agreed to is sealed, signed by both, and in force") {
  PolicyAsked circle;
  auto op = circle.sealing(circle.wanted);
  auto plain = circle.wanted.encode();
  REQUIRE(std::ranges::search(op.payload, plain).empty());
  REQUIRE(circle.mayCosign(circle.id, op).has_value());
  auto cosigned = crypto::sign(circle.laptop.keys.ed, crypto::SigType::OP, op.body());
  circle.phone.take(crypto::sealOp(op, circle.phone.keys.ed, kj::arrayPtr(&cosigned, 1)));
  circle.laptop.takeAll(circle.phone);
  for (auto* device: {&circle.phone, &circle.laptop}) {
    auto inForce = crypto::policyIn(*device->log, device->epochs).value();
    REQUIRE(KJ_ASSERT_NONNULL(inForce) == circle.wanted);
  }
  REQUIRE(isDone(circle.phone.log->state(), policy(circle.wanted)));
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now) == std::vector{circle.id});
}

TEST_CASE("a policy that says anything else than what was agreed to is not signed") {
  PolicyAsked circle;
  auto other = circle.wanted;
  other.broker = true;
  auto op = circle.sealing(other);
  SECTION("another text") {}
  SECTION("another version") { op = circle.sealing(circle.wanted, 2); }
  SECTION("in the clear") { op = circle.draft(policy(circle.wanted)); }
  SECTION("sealed with a secret that nobody has") {
    op = circle.sealing(circle.wanted);
    auto said = std::get<crypto::PolicySetPayload>(
        crypto::decodePayload(op.kind, crypto::view(op.payload)).value());
    said.sealed[0] ^= 1;  // of the epoch's name
    op.payload = crypto::encode(Payload(said));
  }
  REQUIRE(circle.mayCosign(circle.id, op).error().code == Errc::NOT_AUTHORISED);
}

TEST_CASE("one admin of two sets no policy and no suite") {
  TwoAdmins circle(0);
  circle.phone.say(policy(crypto::Policy{.staleDays = 30}));
  circle.phone.say(crypto::MinSuitePayload{1});
  REQUIRE(circle.phone.log->state().policy == nullptr);
  REQUIRE(circle.phone.log->state().minSuite == 0);
}

TEST_CASE("a policy that was asked for before another came into force is over") {
  PolicyAsked circle;
  auto other = circle.wanted;
  other.staleDays = 3;
  circle.laptop.say(policy(other), {&circle.phone});
  circle.phone.takeAll(circle.laptop);
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now) == std::vector{circle.id});
  circle.asked.settle(*circle.laptop.log, circle.now);
  REQUIRE(circle.asked.empty());
  REQUIRE(circle.ask(policy(circle.wanted)).error().code == Errc::NOT_AUTHORISED);
  REQUIRE(circle.ask(policy(circle.wanted, 2)).has_value());
}

TEST_CASE("two admins forbid an old suite for good, and no suite that they do not speak") {
  TwoAdmins circle(0);
  REQUIRE(circle.ask(crypto::MinSuitePayload{crypto::SUITE_NEWEST + 1}).error().code ==
      Errc::NOT_AUTHORISED);
  REQUIRE(circle.ask(crypto::MinSuitePayload{0}).error().code == Errc::NOT_AUTHORISED);
  auto id = circle.askAndTell(crypto::MinSuitePayload{1});
  REQUIRE(circle.asked.answer(*circle.laptop.log, id, true).has_value());
  auto op = circle.draft(crypto::MinSuitePayload{1});
  REQUIRE(circle.mayCosign(id, op).has_value());
  auto cosigned = crypto::sign(circle.laptop.keys.ed, crypto::SigType::OP, op.body());
  circle.phone.take(crypto::sealOp(op, circle.phone.keys.ed, kj::arrayPtr(&cosigned, 1)));
  REQUIRE(circle.phone.log->state().minSuite == 1);
  REQUIRE(circle.asking.settle(*circle.phone.log, circle.now) == std::vector{id});
}

}  // namespace
}  // namespace hearth::devices
