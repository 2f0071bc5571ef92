// Ops by which a device takes more than its part in a circle (SECURITY.md §12.2), one test for each attack.

#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

constexpr int64_t TEN_YEARS_MS = int64_t{3'652} * 86'400'000;

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

}  // namespace
}  // namespace hearth::crypto
