// Which session two devices go on with, whatever is lost, comes late or is forgotten.
#include "tests/crypto/seeded-entropy.h"
#include "transport/link/handover.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

namespace hearth::transport {
namespace {

using Outcome = Handover::Outcome;

struct Pair {
  crypto::SeededEntropy entropy{1};
  Handover chooser{true}, follower{false};

  // Both sides' outcomes of one RESUME and its answer.
  std::pair<Outcome, Outcome> meet() {
    auto call = chooser.call(LaneStates(), entropy);
    auto there = follower.called(call).value();
    return {chooser.answered(follower.answer(LaneStates())).value(), there};
  }
};

constexpr std::pair BOTH_BEGIN{Outcome::BEGINS, Outcome::BEGINS};
constexpr std::pair BOTH_GO_ON{Outcome::GOES_ON, Outcome::GOES_ON};

TEST_CASE("a first link begins a session, and each later one goes on with it") {
  Pair two;
  REQUIRE(two.meet() == BOTH_BEGIN);
  REQUIRE(two.meet() == BOTH_GO_ON);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("when either side has forgotten the session, both begin anew") {
  Pair two;
  two.meet();
  two.follower = Handover(false);
  REQUIRE(two.meet() == BOTH_BEGIN);
  REQUIRE(two.meet() == BOTH_GO_ON);
  two.chooser = Handover(true);
  REQUIRE(two.meet() == BOTH_BEGIN);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("a chooser whose answer was lost goes on with what the follower has begun") {
  Pair two;
  REQUIRE(two.follower.called(two.chooser.call({}, two.entropy)) == Outcome::BEGINS);
  REQUIRE(two.meet() == BOTH_GO_ON);
}

TEST_CASE("of two RESUMEs that come in another order the newer counts") {
  Pair two;
  two.meet();
  auto first = two.chooser.call({}, two.entropy), second = two.chooser.call({}, two.entropy);
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
    REQUIRE(two.follower.called(two.chooser.call({}, two.entropy)));
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
  auto call = two.chooser.call({}, two.entropy);
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
  size_t agreed = 0, stale = 0, forgotten = 0;

  explicit Confusion(uint32_t seed): random(seed) {}

  Resume takeAny(std::vector<Resume>& from) {
    auto at = from.begin() + static_cast<ptrdiff_t>(random() % from.size());
    auto taken = *at;
    from.erase(at);
    return taken;
  }
  void call() {
    there.push_back(two.chooser.call({}, two.entropy));
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
      return;
    }
    two.chooser = Handover(true);
    there.clear();
    back.clear();
    newest = 0;
  }
  void step() {
    switch (random() % 4) {
      case 0:
        return call();
      case 1:
        return deliver();
      case 2:
        return answer();
      default:
        return forget();
    }
  }
  // Whatever has happened: a link that stands brings both into one session.
  bool isNeverHalf() {
    auto next = two;
    auto [here, there] = next.meet();
    return here == there && next.meet() == BOTH_GO_ON;
  }
};

TEST_CASE("whatever comes late, is lost or is forgotten, both go on or both begin") {
  constexpr uint32_t SEEDS = 1'000;
  size_t agreed = 0, stale = 0, forgotten = 0;
  for (uint32_t seed = 1; seed <= SEEDS; ++seed) {
    Confusion world(seed);
    for (int i = 0; i < 60; ++i) {
      world.step();
      KJ_ASSERT(world.isNeverHalf(), seed, i);
    }
    agreed += world.agreed;
    stale += world.stale;
    forgotten += world.forgotten;
  }
  REQUIRE(agreed > SEEDS);
  REQUIRE(stale > SEEDS);
  REQUIRE(forgotten > SEEDS);
}

}  // namespace
}  // namespace hearth::transport
