// Membership against those who would cheat it: the attack tests of SECURITY.md §12.2 that need no more
// than logs.

#include "tests/crypto/forge.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::crypto {
namespace {

// A circle of the ADMINs a, b, ... and the MEMBER m, all of whom know all.
struct Circle {
  Forge forge;
  MembershipLog base;

  explicit Circle(size_t admins): base(forge.found("a")) {
    constexpr const char* NAMES[] = {"a", "b", "c", "d"};
    for (size_t i = 1; i < admins; ++i) {
      Forge::Signers signers = {forge.device("a")};
      if (i > 1) signers.push_back(forge.device("b"));
      must(base, forge.add(base, NAMES[i], Role::ADMIN, forge.id("a")), signers);
    }
    must(base, forge.add(base, "m", Role::MEMBER, forge.id("a")), {forge.device("a")});
  }

  // An op that the log stores, whether it applies or not.
  SealedOp must(MembershipLog& log, const Payload& payload, const Forge::Signers& signers) {
    auto op = forge.make(log, payload, signers);
    auto stored = log.add(view(op.envelope));
    KJ_ASSERT(stored.has_value(), stored.error().because);
    return op;
  }
  SealedOp remove(MembershipLog& log, const char* target, const char* by) {
    return must(log, Forge::remove(log, forge.id(target)), {forge.device(by)});
  }
  MemberStatus sees(const MembershipLog& log, const char* name) {
    return KJ_ASSERT_NONNULL(log.state().find(forge.id(name))).status;
  }
  bool knows(const MembershipLog& log, const char* name) {
    return log.state().find(forge.id(name)) != nullptr;
  }
};

void hear(MembershipLog& log, const MembershipLog& other) {
  for (auto envelope: other.envelopes()) KJ_ASSERT(log.add(envelope).has_value());
}

// Logs that hold the same ops, got in two orders.
std::array<MembershipLog, 2> merged(const MembershipLog& one, const MembershipLog& other) {
  std::array<MembershipLog, 2> both = {one, other};
  hear(both[0], other);
  hear(both[1], one);
  KJ_ASSERT(both[0].state().hash() == both[1].state().hash());
  return both;
}

// Whoever holds the keys of both, and is brought in as one here and as the other there, can do this.
TEST_CASE("two devices that each rotate to the other's keys, beside each other, harm nobody") {
  Circle circle(2);
  auto here = circle.base, there = circle.base;
  circle.must(here, circle.forge.add(here, "y", Role::MEMBER, circle.forge.id("a")),
      {circle.forge.device("a")});
  circle.must(here, circle.forge.rotate(here, "z", circle.forge.id("y")),
      {circle.forge.device("y")});
  circle.must(there, circle.forge.add(there, "z", Role::VAULT, circle.forge.id("b")),
      {circle.forge.device("b")});
  circle.must(there, circle.forge.rotate(there, "y", circle.forge.id("z")),
      {circle.forge.device("z")});
  for (auto& log: merged(here, there)) {
    for (auto name: {"y", "z"}) REQUIRE(circle.sees(log, name) == MemberStatus::RETIRED);
  }
}

}  // namespace
}  // namespace hearth::crypto
