// Epochs of a circle: those that leave somebody out or cheat (SECURITY.md §5.5, §12.2), and what rotated keys
// know of them.

#include "tests/crypto/small-circle.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

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

}  // namespace
}  // namespace hearth::crypto
