// Which session two devices go on with, whatever is lost, comes late or is forgotten.
#include "transport/link/handover.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>
#include <vector>

namespace hearth::transport {
namespace {

using Outcome = Handover::Outcome;

struct Pair {
  Handover chooser{true}, follower{false};
  uint64_t links = 0;

  // Of another link each time.
  SessionToken fresh() {
    SessionToken token;
    ++links;
    memcpy(token.bytes, &links, sizeof(links));
    return token;
  }
  Resume call() { return chooser.call(LaneStates(), fresh()); }

  // Both sides' outcomes of one RESUME and its answer.
  std::pair<Outcome, Outcome> meet() {
    auto call = this->call();
    auto there = follower.called(call).value();
    return {chooser.answered(follower.answer(LaneStates())).value(), there};
  }
};

constexpr std::pair FIRST_BEGINS{Outcome::AGREES, Outcome::BEGINS};
constexpr std::pair BOTH_BEGIN{Outcome::BEGINS, Outcome::BEGINS};
constexpr std::pair BOTH_GO_ON{Outcome::GOES_ON, Outcome::GOES_ON};

TEST_CASE("a first link begins a session, and each later one goes on with it") {
  Pair two;
  REQUIRE(two.meet() == FIRST_BEGINS);
  REQUIRE(two.meet() == BOTH_GO_ON);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("a follower that has called need not be told that a session begins") {
  Pair two;
  auto link = two.fresh();
  two.follower.assume(link);
  REQUIRE(two.follower.isAssumed());
  REQUIRE(two.follower.called(two.chooser.call({}, link)) == Outcome::AGREES);
  REQUIRE_FALSE(two.follower.isAssumed());
  REQUIRE(two.chooser.answered(two.follower.answer({})) == Outcome::AGREES);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("of two that call each other at once the chooser's session is the one") {
  Pair two;
  two.follower.assume(two.fresh());
  REQUIRE(two.follower.called(two.call()) == Outcome::BEGINS);
  REQUIRE(two.chooser.answered(two.follower.answer({})) == Outcome::AGREES);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE(
    "a chooser that goes on with an older session is heard by a follower that assumed another") {
  Pair two;
  two.meet();
  two.follower = Handover(false);
  two.follower.assume(two.fresh());
  REQUIRE(two.meet() == BOTH_BEGIN);
}

TEST_CASE(
    "a chooser that has moved on before the first link was heard goes on with what was assumed") {
  Pair two;
  auto link = two.fresh();
  two.follower.assume(link);
  (void)two.chooser.call({}, link);  // lost, but not what the follower has sent
  two.chooser.heard();
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("when either side has forgotten the session, both begin anew") {
  Pair two;
  two.meet();
  two.follower = Handover(false);
  REQUIRE(two.meet() == BOTH_BEGIN);
  REQUIRE(two.meet() == BOTH_GO_ON);
  two.chooser = Handover(true);
  REQUIRE(two.meet() == FIRST_BEGINS);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("a chooser whose answer was lost goes on with what the follower has begun") {
  Pair two;
  REQUIRE(two.follower.called(two.call()) == Outcome::BEGINS);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("of two RESUMEs that come in another order the newer counts") {
  Pair two;
  two.meet();
  auto first = two.call(), second = two.call();
  REQUIRE(two.follower.called(second) == Outcome::GOES_ON);
  auto late = two.follower.called(first);
  REQUIRE(late.error().code == Errc::STALE);
  REQUIRE(two.follower.called(second).error().code == Errc::STALE);  // nor the same twice
  REQUIRE(two.chooser.answered(two.follower.answer({})) == Outcome::GOES_ON);
}

TEST_CASE("an answer to another RESUME, or of another session, is refused") {
  auto refused = [](auto change) {
    Pair two;
    two.meet();
    two.meet();
    REQUIRE(two.follower.called(two.call()));
    auto answer = two.follower.answer({});
    change(answer);
    auto taken = two.chooser.answered(answer);
    return !taken && taken.error().code == Errc::BAD_FORMAT;
  };
  REQUIRE_FALSE(refused([](Resume&) {}));
  REQUIRE(refused([](Resume& answer) { answer.token.bytes[3] ^= 1; }));
  REQUIRE(refused([](Resume& answer) { answer.number -= 1; }));
  REQUIRE(refused([](Resume& answer) { answer.begun = 2; }));
  REQUIRE(refused([](Resume& answer) { answer.begun = 0; }));
}

TEST_CASE("a RESUME that is itself an answer begins nothing") {
  Pair two;
  auto call = two.call();
  call.begun = call.number;
  REQUIRE(two.follower.called(call).error().code == Errc::BAD_FORMAT);
  REQUIRE_FALSE(two.follower.hasBegun());
}

TEST_CASE("a RESUME that does not parse, or says what cannot be, is refused") {
  SessionToken token;
  token.bytes[0] = 7;
  Resume good{token, 5, 2, {5, {{1, 10, 3, 20, true}}}};
  auto bytes = encode(good);
  REQUIRE(readResume(bytes).value() == good);
  for (size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(readResume(bytes.slice(0, size)));
  REQUIRE_FALSE(readResume(encode(Resume{token, 0, 0, {}})));  // numbers begin at 1
  REQUIRE_FALSE(readResume(encode(Resume{token, 5, 6, {}})));  // begun later than now
  REQUIRE_FALSE(
      readResume(encode(Resume{token, 5, 0, good.states})));  // streams before the session
  REQUIRE_FALSE(readResume(encode(Resume{token, 5, 5, good.states})));
  REQUIRE(readResume(encode(Resume{token, 5, 5, {}})));
}

// RESUMEs over several links, of which any may be late or lost, between sides that forget.
struct Confusion {
  std::mt19937 random;
  Pair two;
  std::vector<Resume> there, back;
  uint32_t newest = 0;  // whose link is the chosen one
  kj::Maybe<SessionToken>
      calling;  // the follower's own link, of which the chooser does not know yet
  size_t agreed = 0, stale = 0, forgotten = 0, assumed = 0;

  explicit Confusion(uint32_t seed): random(seed) {}

  Resume takeAny(std::vector<Resume>& from) {
    auto at = from.begin() + static_cast<ptrdiff_t>(random() % from.size());
    auto taken = *at;
    from.erase(at);
    return taken;
  }
  // Over the follower's own link, where there is one.
  void call() {
    auto link = two.fresh();
    KJ_IF_MAYBE(its, calling) link = *its;
    calling = nullptr;
    there.push_back(two.chooser.call({}, link));
    newest = there.back().number;
  }
  void deliver() {
    if (there.empty()) return;
    auto outcome = two.follower.called(takeAny(there));
    if (outcome) return back.push_back(two.follower.answer({}));
    REQUIRE(outcome.error().code == Errc::STALE);
    ++stale;
  }
  void answer() {
    if (back.empty()) return;
    auto answer = takeAny(back);
    if (answer.number != newest) return;  // on a link that was let go
    REQUIRE(two.chooser.answered(answer));
    newest = 0;
    ++agreed;
  }
  void forget() {
    if (random() % 4 != 0) return;
    ++forgotten;
    if (random() % 2 == 0) {
      two.follower = Handover(false);
      calling = nullptr;
      return;
    }
    two.chooser = Handover(true);
    there.clear();
    back.clear();
    newest = 0;
  }
  void assume() {
    if (two.follower.hasBegun()) return;
    auto link = two.fresh();
    two.follower.assume(link);
    calling = link;
    ++assumed;
  }
  void step() {
    switch (random() % 5) {
      case 0:
        return call();
      case 1:
        return deliver();
      case 2:
        return answer();
      case 3:
        return assume();
      default:
        return forget();
    }
  }
  // Whatever has happened: a link that stands brings both into one session.
  bool isNeverHalf() {
    auto next = two;
    auto met = next.meet();
    bool whole = met == BOTH_GO_ON || met == BOTH_BEGIN || met == FIRST_BEGINS;
    return whole && next.meet() == BOTH_GO_ON;
  }
};

TEST_CASE("whatever comes late, is lost or is forgotten, both go on or both begin") {
  constexpr uint32_t SEEDS = 1'000;
  size_t agreed = 0, stale = 0, forgotten = 0, assumed = 0;
  for (uint32_t seed = 1; seed <= SEEDS; ++seed) {
    Confusion world(seed);
    for (int i = 0; i < 60; ++i) {
      world.step();
      KJ_ASSERT(world.isNeverHalf(), seed, i);
    }
    agreed += world.agreed;
    stale += world.stale;
    forgotten += world.forgotten;
    assumed += world.assumed;
  }
  REQUIRE(agreed > SEEDS);
  REQUIRE(stale > SEEDS);
  REQUIRE(forgotten > SEEDS);
  REQUIRE(assumed > SEEDS);
}

}  // namespace
}  // namespace hearth::transport
