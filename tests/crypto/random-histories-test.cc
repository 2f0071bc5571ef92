// Random histories of small circles (SECURITY.md §12.3, G8): whatever the order in which ops come, the
// state is one, and it is the one that a slow account of §5.4 gives, which shares no code with ours.

#include "tests/crypto/random-circle.h"
#include "tests/crypto/slow-resolve.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iostream>

namespace hearth::crypto {
namespace {

constexpr size_t ORDERS = 3;

// What has come about over all seeds: a test of forks must have seen some.
struct Seen {
  size_t ops = 0, voids = 0, refused = 0, forks = 0, suspensions = 0, resets = 0, rotations = 0,
         removed = 0, cosigned = 0, locked = 0;
};

std::vector<size_t> shuffled(size_t count, Luck& luck) {
  std::vector<size_t> order;
  for (size_t i = 0; i < count; ++i) {
    order.push_back(i);
    if (luck.chance(20)) order.push_back(i);
  }
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[luck.below(i)]);
  return order;
}

MembershipLog deliver(const RandomCircle& circle, const std::vector<size_t>& order) {
  MembershipLog log(circle.circle());
  for (auto i: order) (void)log.add(view(circle.ops()[i].envelope));
  return log;
}

void count(Seen& seen, const RandomCircle& circle, const MembershipLog& log) {
  seen.ops += circle.ops().size();
  for (auto& op: circle.ops()) {
    bool applies = log.applies(op.hash);
    if (!log.has(op.hash)) ++seen.refused;
    if (log.has(op.hash) && !applies) ++seen.voids;
    if (applies && op.op.kind == OpKind::RECOVERY_RESET) ++seen.resets;
    if (applies && op.op.kind == OpKind::ROTATE_KEYS) ++seen.rotations;
    if (applies && !op.op.cosigners.empty()) ++seen.cosigned;
  }
  seen.forks += log.ops().rivals().size();
  for (auto& [id, member]: log.state().devices) {
    if (member.isSuspended()) ++seen.suspensions;
    if (member.status == MemberStatus::REMOVED) ++seen.removed;
  }
  if (log.state().locked) ++seen.locked;
}

TEST_CASE(
    "random histories mean the same in every order of delivery, and what the slow account says") {
  Seeds seeds(150);
  Seen seen;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    RandomCircle circle(seed, 10 + seed % 9);
    CAPTURE(seed);
    slow::Circle slow;
    for (auto& op: circle.ops()) slow.give(op);
    kj::Maybe<Digest> hash;
    for (size_t order = 0; order < ORDERS; ++order) {
      auto log = deliver(circle, shuffled(circle.ops().size(), circle.luck()));
      REQUIRE(slow.compare(log) == "");
      auto state = log.state().hash();
      REQUIRE(state == hash.orDefault(state));
      hash = state;
      if (order == 0) count(seen, circle, log);
    }
  }
  std::cerr << seeds.count() << " histories, " << seen.ops << " ops, " << seen.voids << " void, "
            << seen.refused << " refused, " << seen.cosigned << " cosigned, " << seen.forks
            << " forks, " << seen.suspensions << " suspended, " << seen.removed << " removed, "
            << seen.resets << " resets, " << seen.rotations << " rotations, " << seen.locked
            << " locked\n";
  REQUIRE(seen.voids > seeds.count());
  for (auto often: {seen.refused, seen.forks, seen.suspensions, seen.removed, seen.cosigned})
    REQUIRE(often >= seeds.count() / 5);
  for (auto seldom: {seen.resets, seen.rotations, seen.locked})
    REQUIRE(seldom >= seeds.count() / 20);
}

}  // namespace
}  // namespace hearth::crypto
