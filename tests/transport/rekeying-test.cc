// When new keys are made, driven by times.
#include "transport/link/rekeying.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace hearth::transport {
namespace {

using Step = Rekeying::Step;

constexpr auto T0 = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
constexpr kj::byte NO_LUCK = 0, MIDDLING = 128, LUCKY = 255;

TEST_CASE("a call is made once, however much is sent meanwhile") {
  Rekeying rekeying(true);
  REQUIRE(rekeying.wants(T0, MIDDLING) == Step::CALL);
  REQUIRE(rekeying.wants(T0 + 1 * kj::SECONDS, MIDDLING) == Step::NONE);
  rekeying.settled();
  REQUIRE(rekeying.wakeAt() == nullptr);
  REQUIRE(rekeying.wants(T0 + 2 * kj::SECONDS, MIDDLING) == Step::CALL);
}

TEST_CASE("a call without an answer is made again after 5 s, doubling, and given up after 90 s") {
  Rekeying rekeying(true);
  rekeying.wants(T0, MIDDLING);
  std::vector<int64_t> calls;
  for (;;) {
    auto at = KJ_REQUIRE_NONNULL(rekeying.wakeAt());
    auto step = rekeying.tick(at, MIDDLING);
    calls.push_back((at - T0) / kj::SECONDS);
    if (step == Step::GIVE_UP) break;
    REQUIRE(step == Step::CALL);
  }
  REQUIRE(calls == std::vector<int64_t>{5, 15, 35, 75, 90});
  REQUIRE(rekeying.wakeAt() == nullptr);
}

TEST_CASE("what is sent just when a call is given up does not begin another one") {
  Rekeying rekeying(true);
  rekeying.wants(T0, MIDDLING);
  while (rekeying.tick(KJ_REQUIRE_NONNULL(rekeying.wakeAt()), MIDDLING) != Step::GIVE_UP) {}
  REQUIRE(rekeying.wants(T0 + 90 * kj::SECONDS, MIDDLING) == Step::NONE);
  REQUIRE_FALSE(rekeying.isCalling());
}

TEST_CASE("the pause before the next try varies by a fifth") {
  Rekeying early(true), late(true);
  early.wants(T0, NO_LUCK);
  late.wants(T0, LUCKY);
  REQUIRE(early.wakeAt() == T0 + 4 * kj::SECONDS);
  REQUIRE(late.wakeAt() == T0 + 6 * kj::SECONDS);
}

TEST_CASE("of two calls at once that by the smaller id survives") {
  Rekeying smaller(true), larger(false);
  smaller.wants(T0, MIDDLING);
  larger.wants(T0, MIDDLING);
  REQUIRE_FALSE(smaller.hears(T0));
  REQUIRE(larger.hears(T0));
  larger.answers(T0);
  REQUIRE_FALSE(larger.isCalling());
  REQUIRE(smaller.isCalling());
}

TEST_CASE("who has answered does not call before the answer has come to something, or to nothing") {
  Rekeying rekeying(true);
  REQUIRE(rekeying.hears(T0));
  rekeying.answers(T0);
  REQUIRE(rekeying.wants(T0 + 9 * kj::SECONDS, MIDDLING) == Step::NONE);
  REQUIRE(rekeying.wants(T0 + 10 * kj::SECONDS, MIDDLING) == Step::CALL);
}

TEST_CASE("a peer that calls more than once a second is not heard") {
  Rekeying rekeying(true);
  REQUIRE(rekeying.hears(T0));
  REQUIRE_FALSE(rekeying.hears(T0 + 999 * kj::MILLISECONDS));
  REQUIRE(rekeying.hears(T0 + 1 * kj::SECONDS));
}

}  // namespace
}  // namespace hearth::transport
