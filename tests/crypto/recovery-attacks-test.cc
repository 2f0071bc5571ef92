// A circle that its recovery key has begun anew, and attacks on that key (SECURITY.md §5.6, §12.2).

#include "crypto/identity/shares.h"
#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

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

}  // namespace
}  // namespace hearth::crypto
