// Authors that write rival ops without end (docs/adr/0071): what a log stores of them is bounded, and logs
// that have stored different ones of them say the same of the circle.

#include "crypto/membership/exchange.h"
#include "tests/crypto/forge.h"
#include "tests/crypto/seeds.h"
#include "tests/crypto/slow-resolve.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iostream>

namespace hearth::crypto {
namespace {

struct Replica {
  std::string name;
  MembershipLog log;
};

// Admins a and b and the member w go by the rules; the members m and n need not.
struct Flooded {
  Forge forge;
  Luck luck;
  MembershipLog base{forge.found("a")};
  std::vector<Replica> honest;
  std::vector<SealedOp> flood;  // all that m and n ever wrote
  std::set<std::string> flooders = {"m"};
  size_t refused = 0;

  explicit Flooded(uint64_t seed): luck(seed) {
    bring("b", Role::ADMIN);
    for (auto* name: {"w", "m", "n"}) bring(name, Role::MEMBER);
    for (auto* name: {"a", "b", "w"}) honest.push_back({name, base});
    if (luck.chance(40)) flooders.insert("n");
  }
  void bring(const char* name, Role role) {
    auto op = forge.make(base, forge.add(base, name, role, forge.id("a")), {forge.device("a")});
    KJ_ASSERT(base.add(view(op.envelope)).has_value());
  }

  static Payload meta(Luck& luck) {
    return DeviceMetaPayload{std::vector<kj::byte>(80, static_cast<kj::byte>(luck.next()))};
  }
  Replica& someone() { return honest[luck.below(honest.size())]; }

  // Some honest devices are handed it, some not.
  void hand(const SealedOp& op) {
    for (auto& replica: honest) {
      if (luck.chance(40) && !replica.log.add(view(op.envelope))) ++refused;
    }
  }
  // Rivals under one number, each on what the circle began with.
  void writeRivals(const std::string& name, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      flood.push_back(forge.make(base, meta(luck), {forge.device(name)}));
      hand(flood.back());
    }
  }
  // An op that rests on some of the flood, by its author or by the other one.
  void writeOnFlood(const std::string& name) {
    if (flood.empty()) return;
    auto log = base;
    std::vector<OpHash> upon;
    for (size_t i = 0; i < 3; ++i) {
      auto& op = flood[luck.below(flood.size())];
      bool fits = op.op.seq == base.draft(op.op.author).seq;
      if (fits && log.add(view(op.envelope)).has_value()) upon.push_back(op.hash);
    }
    flood.push_back(forge.make(log, meta(luck), {forge.device(name)}));
    hand(flood.back());
  }
  void honestStep() {
    auto& replica = someone();
    auto& log = replica.log;
    Payload payload = meta(luck);
    bool isAdmin = replica.name != "w";
    auto isThere = [&](const char* name) {
      auto status = KJ_ASSERT_NONNULL(log.state().find(forge.id(name))).status;
      return status == MemberStatus::ACTIVE || status == MemberStatus::SUSPENDED;
    };
    auto* target = luck.chance(50) ? "m" : "n";
    if (isAdmin && luck.chance(15) && isThere(target))
      payload = Forge::remove(log, forge.id(target));
    if (isAdmin && luck.chance(10))
      payload = PluginRevokePayload{.value = Digest::from(forge.id(target).asBytes()).value()};
    auto op = forge.make(log, payload, {forge.device(replica.name)});
    auto taken = log.add(view(op.envelope));
    // Nobody who goes by the rules is ever refused by its own log.
    REQUIRE(taken.has_value());
    REQUIRE(*taken == MembershipLog::Taken::STORED);
  }

  // Both state what they have, and give what the other lacks. How many ops were news.
  size_t meet(Replica& a, Replica& b) {
    auto before = a.log.size() + b.log.size();
    auto idA = forge.id(a.name), idB = forge.id(b.name);
    LogExchange ea(a.log, idB, false, idA), eb(b.log, idA, false, idB);
    auto headsOfA = ea.heads(), headsOfB = eb.heads();
    auto toB = ea.confirmed(headsOfB).value().send;
    auto toA = eb.confirmed(headsOfA).value().send;
    auto atA = ea.received(toA).value(), atB = eb.received(toB).value();
    REQUIRE(atA.done);
    REQUIRE(atB.done);
    for (auto& op: atA.ops) (void)a.log.add(op);
    for (auto& op: atB.ops) (void)b.log.add(op);
    return a.log.size() + b.log.size() - before;
  }
  void meetAll() {
    constexpr int ROUNDS_MAX = 6;
    size_t news = 1;
    for (int round = 0; news > 0; ++round) {
      REQUIRE(round < ROUNDS_MAX);
      news = 0;
      for (size_t i = 0; i < honest.size(); ++i) {
        for (size_t j = 0; j < i; ++j) news += meet(honest[i], honest[j]);
      }
    }
  }
  void live(size_t steps) {
    for (size_t step = 0; step < steps; ++step) {
      auto what = luck.below(100);
      auto flooder = flooders.contains("n") && luck.chance(40) ? "n" : "m";
      if (what < 35)
        honestStep();
      else if (what < 60)
        writeRivals(flooder, 1 + luck.below(9));
      else if (what < 75)
        writeOnFlood(luck.chance(50) ? "m" : "n");
      else
        meet(honest[0], honest[1 + luck.below(2)]);
    }
  }
  // Beside what others rest on: one op for each number, and what it takes to make a flood.
  bool isBounded(const MembershipLog& log, const DeviceId& author) {
    auto& table = log.ops();
    OpSet rested;
    std::set<uint64_t> numbers;
    for (OpIndex op = 0; op < table.size(); ++op) {
      if (table[op].op().author != author) rested |= table[op].past;
    }
    for (auto op: table.writtenBy(author)) numbers.insert(table[op].op().seq);
    return (table.writtenBy(author) - rested).count() <= numbers.size() + SURPLUS_MAX + 1;
  }
  bool someoneFloods() {
    return std::ranges::any_of(honest, [&](auto& replica) {
      return replica.log.hasFlooded(forge.id("m")) || replica.log.hasFlooded(forge.id("n"));
    });
  }
};

std::set<OpHash> inForce(const MembershipLog& log) {
  std::set<OpHash> all;
  for (auto& record: log.ops()) {
    if (log.applies(record.sealed.hash)) all.insert(record.sealed.hash);
  }
  return all;
}

TEST_CASE(
    "T30: logs that hold different rivals of a flood say the same, and what the slow account says") {
  Seeds seeds(150);
  size_t floods = 0, different = 0, stored = 0, written = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    Flooded circle(seed);
    circle.live(30 + seed % 20);
    // Whatever was missed so far comes to somebody at the end, in another order.
    for (auto& op: circle.flood) {
      if (circle.luck.chance(50)) circle.hand(op);
    }
    circle.meetAll();
    auto& first = circle.honest.front().log;
    if (circle.someoneFloods()) ++floods;
    for (auto& replica: circle.honest) {
      REQUIRE(replica.log.state().hash() == first.state().hash());
      REQUIRE(inForce(replica.log) == inForce(first));
      // Of more heads than an op can name each log names its newest.
      bool namesAll = first.heads().size() < Op::PARENTS_MAX;
      REQUIRE((!namesAll || replica.log.heads() == first.heads()));
      if (replica.log.size() != first.size()) ++different;
      for (auto* name: {"m", "n"}) REQUIRE(circle.isBounded(replica.log, circle.forge.id(name)));
      slow::Circle slow;
      for (auto& record: replica.log.ops()) slow.give(record.sealed);
      REQUIRE(slow.compare(replica.log) == "");
    }
    stored += first.size();
    written += circle.flood.size();
  }
  std::cerr << seeds.count() << " histories, " << floods << " with a flood, " << written
            << " rivals and ops on them written, logs of " << stored << " ops in all, " << different
            << " logs that hold other rivals\n";
  REQUIRE(floods >= seeds.count() / 4);
  REQUIRE(different >= seeds.count() / 20);
}

// The same ops, in the order of the numbers given.
MembershipLog deliver(const Flooded& circle, const std::vector<SealedOp>& ops, Luck& luck) {
  std::vector<size_t> order;
  for (size_t i = 0; i < ops.size(); ++i) order.push_back(i);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[luck.below(i)]);
  auto log = circle.base;
  for (auto i: order) (void)log.add(view(ops[i].envelope));
  return log;
}

TEST_CASE("T30: in whatever order a flood and all else come, the circle is the same") {
  Seeds seeds(40);
  size_t floods = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    Flooded circle(seed);
    circle.live(40);
    circle.meetAll();
    std::vector<SealedOp> all = circle.flood;
    for (auto& replica: circle.honest) {
      for (auto& record: replica.log.ops()) all.push_back(record.sealed);
    }
    auto one = deliver(circle, all, circle.luck);
    if (one.hasFlooded(circle.forge.id("m"))) ++floods;
    for (int i = 0; i < 3; ++i) {
      auto other = deliver(circle, all, circle.luck);
      REQUIRE(other.state().hash() == one.state().hash());
      REQUIRE(inForce(other) == inForce(one));
    }
  }
  REQUIRE(floods >= seeds.count() / 4);
}

TEST_CASE("who floods is suspended for good: no Reinstate helps, and a Remove does its work") {
  Flooded circle(1);
  for (auto& replica: circle.honest) replica.log = circle.base;
  auto& log = circle.honest.front().log;
  for (size_t i = 0; i < SURPLUS_MAX + 2; ++i) {
    auto op =
        circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
    REQUIRE(log.add(view(op.envelope)).value() == MembershipLog::Taken::STORED);
  }
  REQUIRE(log.hasFlooded(circle.forge.id("m")));
  auto status = [&]() { return KJ_ASSERT_NONNULL(log.state().find(circle.forge.id("m"))).status; };
  REQUIRE(status() == MemberStatus::SUSPENDED);
  auto further =
      circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
  REQUIRE(log.add(view(further.envelope)).value() == MembershipLog::Taken::WAITING);
  auto back =
      circle.forge.make(log, ReinstatePayload{circle.forge.id("m")}, {circle.forge.device("a")});
  REQUIRE(log.add(view(back.envelope)).has_value());
  REQUIRE(status() == MemberStatus::SUSPENDED);
  auto removal =
      circle.forge.make(log, Forge::remove(log, circle.forge.id("m")), {circle.forge.device("a")});
  REQUIRE(log.add(view(removal.envelope)).value() == MembershipLog::Taken::STORED);
  REQUIRE(status() == MemberStatus::REMOVED);
}

TEST_CASE("who is asked to sign in a flooded circle sees that the op stands on all that counts") {
  Flooded circle(4);
  auto log = circle.base;
  auto early = log.draft(circle.forge.id("a"));
  for (size_t i = 0; i < SURPLUS_MAX + 2; ++i) {
    auto op =
        circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
    REQUIRE(log.add(view(op.envelope)).value() == MembershipLog::Taken::STORED);
  }
  SetRolePayload promotion{circle.forge.id("w"), Role::ADMIN};
  auto op = draftChange(log, circle.forge.id("a"), {circle.forge.id("b")}, promotion, 1);
  REQUIRE(log.wouldApply(op).has_value());
  REQUIRE(op.parents == early.parents);
  auto other = circle.forge.make(log, Flooded::meta(circle.luck), {circle.forge.device("w")});
  REQUIRE(log.add(view(other.envelope)).has_value());
  REQUIRE(log.wouldApply(op).error().code == Errc::STALE);
}

TEST_CASE("an op that rests on a rival which was held back brings it in, and no other") {
  Flooded circle(2);
  auto knowing = circle.base, flooded = circle.base;
  auto rival =
      circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
  REQUIRE(knowing.add(view(rival.envelope)).has_value());
  auto onIt = circle.forge.make(knowing, Flooded::meta(circle.luck), {circle.forge.device("w")});
  for (size_t i = 0; i < SURPLUS_MAX + 2; ++i) {
    auto op =
        circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
    REQUIRE(flooded.add(view(op.envelope)).has_value());
  }
  auto before = flooded.size();
  auto forged = onIt;
  forged.envelope.back() ^= 1;  // of a signature
  SECTION("the rival comes first") {
    REQUIRE(flooded.add(view(rival.envelope)).value() == MembershipLog::Taken::WAITING);
    REQUIRE(flooded.add(view(onIt.envelope)).value() == MembershipLog::Taken::STORED);
  }
  SECTION("the rival comes last") {
    REQUIRE(flooded.add(view(onIt.envelope)).value() == MembershipLog::Taken::WAITING);
    REQUIRE(flooded.add(view(rival.envelope)).value() == MembershipLog::Taken::STORED);
  }
  SECTION("what only looks like such an op brings nothing in") {
    REQUIRE(flooded.add(view(rival.envelope)).value() == MembershipLog::Taken::WAITING);
    (void)flooded.add(view(forged.envelope));
    REQUIRE(flooded.size() == before);
    REQUIRE(flooded.add(view(onIt.envelope)).value() == MembershipLog::Taken::STORED);
  }
  REQUIRE(flooded.has(rival.hash));
  REQUIRE(flooded.applies(onIt.hash));
  REQUIRE(flooded.size() == before + 2);
}

TEST_CASE("who has signed eight ops that rest on rivals and are none brings no rival in any more") {
  Flooded circle(5);
  auto knowing = circle.base, flooded = circle.base;
  auto write = [&](const MembershipLog& past, const char* by, uint64_t late = 0) {
    return circle.forge.make(past, Flooded::meta(circle.luck), {circle.forge.device(by)},
        [&](Op& op) { op.lamport += late; });
  };
  auto rival = write(circle.base, "m");
  REQUIRE(knowing.add(view(rival.envelope)).has_value());
  for (size_t i = 0; i < SURPLUS_MAX + 2; ++i)
    REQUIRE(flooded.add(view(write(circle.base, "m").envelope)).has_value());
  REQUIRE(flooded.add(view(rival.envelope)).value() == MembershipLog::Taken::WAITING);
  auto before = flooded.size();
  auto rests = [&](size_t bad) {
    for (size_t i = 0; i < bad; ++i) (void)flooded.add(view(write(knowing, "w", 1).envelope));
    REQUIRE(flooded.size() == before);
    return flooded.add(view(write(knowing, "w").envelope)).value();
  };
  SECTION("seven are forgiven") {
    REQUIRE(rests(MembershipLog::BAD_RESTS_MAX - 1) == MembershipLog::Taken::STORED);
  }
  SECTION("eight are not, and others are heard as before") {
    REQUIRE(rests(MembershipLog::BAD_RESTS_MAX) == MembershipLog::Taken::WAITING);
    REQUIRE_FALSE(flooded.has(rival.hash));
    REQUIRE(flooded.add(view(write(circle.base, "w").envelope)).value() ==
        MembershipLog::Taken::STORED);
    auto byOther = write(knowing, "b");
    REQUIRE(flooded.add(view(byOther.envelope)).value() == MembershipLog::Taken::STORED);
  }
  REQUIRE(flooded.has(rival.hash));
}

TEST_CASE("an op whose past is flooded is not the first to rest on any part of the flood") {
  Flooded circle(3);
  auto log = circle.base;
  std::vector<OpHash> rivals;
  auto on = circle.base;  // names sixteen rivals, and a second op sixteen more
  for (size_t i = 0; i < SURPLUS_MAX; ++i) {
    auto op =
        circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
    REQUIRE(on.add(view(op.envelope)).has_value());
    REQUIRE(log.add(view(op.envelope)).has_value());
  }
  auto first = circle.forge.make(on, Flooded::meta(circle.luck), {circle.forge.device("w")});
  REQUIRE(first.op.parents.size() == SURPLUS_MAX);
  REQUIRE(log.add(view(first.envelope)).value() == MembershipLog::Taken::STORED);
  REQUIRE(on.add(view(first.envelope)).has_value());
  for (size_t i = 0; i < 2; ++i) {
    auto op =
        circle.forge.make(circle.base, Flooded::meta(circle.luck), {circle.forge.device("m")});
    REQUIRE(log.add(view(op.envelope)).value() == MembershipLog::Taken::STORED);
    rivals.push_back(op.hash);
  }
  auto second =
      circle.forge.make(on, Flooded::meta(circle.luck), {circle.forge.device("w")}, [&](Op& op) {
        op.parents.insert(op.parents.end(), rivals.begin(), rivals.end());
        std::ranges::sort(op.parents);
      });
  REQUIRE(log.add(view(second.envelope)).error().code == Errc::LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace hearth::crypto
