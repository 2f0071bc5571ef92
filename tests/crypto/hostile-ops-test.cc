// Membership against those who would cheat it: the attack tests of SECURITY.md §12.2 that need no more
// than logs.

#include "crypto/identity/join.h"
#include "crypto/primitives/envelope.h"
#include "tests/crypto/forge.h"
#include "tests/crypto/seeds.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>

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
  circle.must(
      here, circle.forge.rotate(here, "z", circle.forge.id("y")), {circle.forge.device("y")});
  circle.must(there, circle.forge.add(there, "z", Role::VAULT, circle.forge.id("b")),
      {circle.forge.device("b")});
  circle.must(
      there, circle.forge.rotate(there, "y", circle.forge.id("z")), {circle.forge.device("z")});
  for (auto& log: merged(here, there)) {
    for (auto name: {"y", "z"}) REQUIRE(circle.sees(log, name) == MemberStatus::RETIRED);
  }
}

TEST_CASE("T22: of two admins that removed each other a third, or the recovery key, decides") {
  for (bool byRecovery: {false, true}) {
    Circle circle(byRecovery ? 2 : 4);
    auto here = circle.base, there = circle.base;
    auto signers = [&](const char* by) {
      Forge::Signers signers = {circle.forge.device(by)};
      if (!byRecovery) signers.push_back(circle.forge.device("c"));
      return signers;
    };
    circle.must(here, Forge::remove(here, circle.forge.id("b")), signers("a"));
    circle.must(there, Forge::remove(there, circle.forge.id("a")), signers("b"));
    auto both = merged(here, there);
    for (auto& log: both) {
      for (auto name: {"a", "b"}) REQUIRE(circle.sees(log, name) == MemberStatus::SUSPENDED);
      // A suspended admin decides nothing, not even about the other.
      auto own = circle.remove(log, "b", "a");
      REQUIRE_FALSE(log.applies(own.hash));
    }
    auto log = merged(here, there)[0];
    Forge::Signers judges = {circle.forge.recovery("rec")};
    if (!byRecovery) judges = {circle.forge.device("c"), circle.forge.device("d")};
    circle.must(log, Forge::remove(log, circle.forge.id("b")), judges);
    circle.must(log, ReinstatePayload{circle.forge.id("a")}, judges);
    REQUIRE(circle.sees(log, "a") == MemberStatus::ACTIVE);
    REQUIRE(circle.sees(log, "b") == MemberStatus::REMOVED);
  }
}

TEST_CASE("T24: an Add beside the Remove of its admin stands only where it is heavier") {
  Circle circle(2);
  auto here = circle.base, there = circle.base, heavier = circle.base;
  circle.remove(here, "b", "a");
  auto add = [&](MembershipLog& log, const char* name, const Forge::Signers& signers) {
    return circle.must(
        log, circle.forge.add(log, name, Role::MEMBER, circle.forge.id("b")), signers);
  };
  auto light = add(there, "x", {circle.forge.device("b")});
  // What x then does in the circle rests on its Add.
  circle.must(there, DeviceMetaPayload{std::vector<kj::byte>(80)}, {circle.forge.device("x")});
  auto heavy = add(heavier, "y", {circle.forge.device("b"), circle.forge.device("a")});
  for (auto& log: merged(here, there)) {
    REQUIRE_FALSE(log.applies(light.hash));
    REQUIRE_FALSE(circle.knows(log, "x"));
    REQUIRE(log.size() == circle.base.size() + 3);
    for (auto& record: log.ops()) {
      if (record.op().author == circle.forge.id("x"))
        REQUIRE_FALSE(log.applies(record.sealed.hash));
    }
  }
  for (auto& log: merged(here, heavier)) {
    REQUIRE(log.applies(heavy.hash));
    REQUIRE(circle.sees(log, "y") == MemberStatus::ACTIVE);
    REQUIRE(circle.sees(log, "b") == MemberStatus::REMOVED);
  }
  // And one that has seen the Remove is by nobody.
  auto after = merged(here, circle.base)[0];
  auto late = add(after, "z", {circle.forge.device("b")});
  REQUIRE_FALSE(after.applies(late.hash));
}

TEST_CASE("T26: an Add is stored only with its device's consent to this circle, admin and role") {
  Circle circle(2);
  auto& forge = circle.forge;
  auto by = forge.id("a");
  auto tryAdd = [&](std::function<void(AddPayload&)> change) {
    auto payload = std::get<AddPayload>(forge.add(circle.base, "x", Role::MEMBER, by));
    change(payload);
    auto op = forge.make(circle.base, payload, {forge.device("a")});
    auto log = circle.base;
    return log.add(view(op.envelope));
  };
  auto consent = [&](const CircleId& to, const DeviceId& admin, Role role, const char* who) {
    auto& joiner = forge.person(who);
    auto sealed = Join{to, joiner.bundle.hash(), admin, role}.seal(joiner.device);
    return std::vector<kj::byte>(sealed.begin(), sealed.end());
  };
  auto other = circle.base.circle();
  other.bytes[0] ^= 1;
  REQUIRE(tryAdd([](AddPayload&) {}).has_value());
  REQUIRE_FALSE(tryAdd([](AddPayload& p) { p.joinEnvelope.clear(); }).has_value());
  for (auto& wrong: {consent(other, by, Role::MEMBER, "x"),
           consent(circle.base.circle(), forge.id("b"), Role::MEMBER, "x"),
           consent(circle.base.circle(), by, Role::ADMIN, "x")}) {
    auto refused = tryAdd([&](AddPayload& p) { p.joinEnvelope = wrong; });
    REQUIRE(refused.error().code == Errc::BAD_SIGNATURE);
  }
  // Somebody else's consent, however right.
  auto stranger = consent(circle.base.circle(), by, Role::MEMBER, "y");
  REQUIRE_FALSE(tryAdd([&](AddPayload& p) { p.joinEnvelope = stranger; }).has_value());
}

TEST_CASE("T27: an op of another circle, and an envelope of another type, are refused") {
  Circle circle(2);
  auto other = circle.forge.found("b");
  REQUIRE(circle.base.circle() != other.circle());
  auto foreign = circle.forge.make(
      other, Forge::remove(other, circle.forge.id("m")), {circle.forge.device("b")});
  REQUIRE(circle.base.add(view(foreign.envelope)).error().code == Errc::BAD_FORMAT);
  // The same op under the name of this circle was never signed.
  auto renamed = circle.forge.make(circle.base, Forge::remove(circle.base, circle.forge.id("m")),
      {circle.forge.device("a")}, [&](Op& op) { op.circle = other.circle(); });
  REQUIRE(circle.base.add(view(renamed.envelope)).error().code == Errc::BAD_FORMAT);
  // An op's body, signed as something else.
  auto op = circle.forge.make(
      circle.base, Forge::remove(circle.base, circle.forge.id("m")), {circle.forge.device("a")});
  auto& keys = circle.forge.person("a").device;
  for (auto type: {SigType::BUNDLE, SigType::JOIN}) {
    auto envelope = sealEnvelope(type, op.op.body(), keys.id, keys.ed);
    auto refused = circle.base.add(envelope);
    REQUIRE_FALSE(refused.has_value());
    bool named =
        refused.error().code == Errc::BAD_SIGNATURE || refused.error().code == Errc::BAD_FORMAT;
    REQUIRE(named);
  }
}

// A sanitizer keeps what was freed for a while: what is resident says nothing there.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool IS_MEMORY_OURS = false;
#else
constexpr bool IS_MEMORY_OURS = true;
#endif

// KiB that this process holds in memory.
size_t residentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  return 0;
}

TEST_CASE(
    "T30: a member that pushes a hundred thousand ops is stopped at its share, others are served") {
  constexpr size_t PUSHED = 100'000, KIB_MAX = 32 << 10;
  Circle circle(2);
  auto log = circle.base;
  auto flooder = circle.forge.device("m");
  auto op = draftChange(log, flooder.id, {}, DeviceMetaPayload{std::vector<kj::byte>(80)}, 0);
  auto before = residentKib();
  size_t stored = 0, waiting = 0, refused = 0, most = before;
  for (size_t i = 0; i < PUSHED; ++i) {
    auto sealed = sealOp(op, *flooder.secret);
    auto taken = log.add(view(sealed.envelope));
    if (!taken) {
      ++refused;
      REQUIRE(taken.error().code == Errc::LIMIT_EXCEEDED);
    } else if (*taken == MembershipLog::Taken::WAITING) {
      ++waiting;
    } else {
      ++stored;
    }
    op.prevOwn = sealed.hash;
    op.parents = {sealed.hash};
    ++op.seq;
    ++op.lamport;
    if (i % 1'000 == 0) most = std::max(most, residentKib());
  }
  REQUIRE(stored == 64);
  REQUIRE(refused == 1);
  REQUIRE(waiting == PUSHED - 65);  // of these the log keeps the newest WaitingOps::OPS_MAX
  if (IS_MEMORY_OURS) REQUIRE(most - before < KIB_MAX);
  // In the midst of it an admin's op is taken at once, and the flooder is put out.
  circle.remove(log, "m", "a");
  REQUIRE(circle.sees(log, "m") == MemberStatus::REMOVED);
}

TEST_CASE("T30: of a hundred thousand rivals under one number a log keeps eighteen, and has room") {
  constexpr size_t PUSHED = 100'000, KIB_MAX = 32 << 10;
  Circle circle(2);
  auto log = circle.base;
  auto flooder = circle.forge.device("m");
  auto op = draftChange(log, flooder.id, {}, DeviceMetaPayload{std::vector<kj::byte>(80)}, 0);
  auto before = residentKib();
  size_t stored = 0, most = before;
  for (size_t i = 0; i < PUSHED; ++i) {
    op.wallMs = static_cast<int64_t>(i);
    auto taken = log.add(view(sealOp(op, *flooder.secret).envelope));
    REQUIRE(taken.has_value());
    if (*taken == MembershipLog::Taken::STORED) ++stored;
    if (i % 1'000 == 0) most = std::max(most, residentKib());
  }
  REQUIRE(stored == SURPLUS_MAX + 2);
  REQUIRE(log.size() == circle.base.size() + stored);
  if (IS_MEMORY_OURS) REQUIRE(most - before < KIB_MAX);
  REQUIRE(circle.sees(log, "m") == MemberStatus::SUSPENDED);
  // The other admin, who has heard of none of it, and one who has, put it out; both hear of it.
  auto there = circle.base;
  circle.remove(there, "m", "b");
  circle.remove(log, "m", "a");
  for (auto& both: merged(log, there)) REQUIRE(circle.sees(both, "m") == MemberStatus::REMOVED);
}

// G9.
TEST_CASE(
    "of an author's two ops under one number both are kept as proof, and it is suspended, everywhere") {
  Seeds seeds(40);
  Circle circle(3);
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    Luck luck(seed);
    constexpr const char* AUTHORS[] = {"a", "b", "c", "m"};
    auto* author = AUTHORS[luck.below(std::size(AUTHORS))];
    auto begin = circle.base;
    auto write = [&](MembershipLog& log) {
      auto& forge = circle.forge;
      if (luck.chance(40) && author[0] != 'm')
        return circle.must(log,
            forge.add(log, luck.chance(50) ? "x" : "y", Role::MEMBER, forge.id(author)),
            {forge.device(author)});
      return circle.must(log, DeviceMetaPayload{std::vector<kj::byte>(80)}, {forge.device(author)});
    };
    for (auto before = luck.below(4); before > 0; --before) write(begin);
    auto here = begin, there = begin;
    auto one = write(here), other = write(there);
    for (auto more = luck.below(3); more > 0; --more) write(luck.chance(50) ? here : there);
    REQUIRE(one.op.seq == other.op.seq);
    REQUIRE(circle.sees(here, author) == MemberStatus::ACTIVE);
    for (auto& log: merged(here, there)) {
      REQUIRE(circle.sees(log, author) == MemberStatus::SUSPENDED);
      REQUIRE(log.has(one.hash));
      REQUIRE(log.has(other.hash));
    }
  }
}

}  // namespace
}  // namespace hearth::crypto
