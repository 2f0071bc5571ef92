// What a counter says of an anchor, and when it is moved on.

#include "devices/node/counter-machine.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using Of = CounterPace::Of;
constexpr auto START = kj::origin<kj::TimePoint>();
const kj::Maybe<uint64_t> NONE;

TEST_CASE("a counter that stands where the anchor says fits it") {
  REQUIRE(judgeCounter(5ul, 5ul) == CounterSays::FITS);
  REQUIRE(judgeCounter(NONE, NONE) == CounterSays::UNUSED);
}

TEST_CASE("a counter that is ahead of the anchor says that the disk was put back") {
  REQUIRE(judgeCounter(5ul, 6ul) == CounterSays::ROLLED_BACK);
  REQUIRE(judgeCounter(1ul, 900ul) == CounterSays::ROLLED_BACK);
  REQUIRE(judgeCounter(NONE, 1ul) ==
      CounterSays::ROLLED_BACK);  // before it was used, or without anchor
}

TEST_CASE("a step that a crash cut off is finished, the first one too") {
  REQUIRE(judgeCounter(6ul, 5ul) == CounterSays::UNFINISHED);
  REQUIRE(judgeCounter(COUNTER_BEGINS, 5ul) == CounterSays::UNFINISHED);
  REQUIRE(judgeCounter(COUNTER_BEGINS, NONE) == CounterSays::UNUSED);
}

TEST_CASE("a counter that is gone, or further behind than a crash leaves it, is told apart") {
  REQUIRE(judgeCounter(5ul, NONE) == CounterSays::REMOVED);
  REQUIRE(judgeCounter(7ul, 5ul) == CounterSays::OTHER);
}

TEST_CASE("a counter that begins anew more than a step beyond what was noted hides nothing") {
  REQUIRE_FALSE(isBeyond(5, 1));  // another chip
  REQUIRE_FALSE(isBeyond(5, 6));
  REQUIRE(isBeyond(5, 7));
}

TEST_CASE("the first change is covered within seconds, and what comes with it by the same step") {
  CounterPace pace;
  REQUIRE(pace.due() == nullptr);
  pace.changed(Of::ENTRIES, START);
  pace.changed(Of::OPS, START + 1 * kj::SECONDS);
  REQUIRE(pace.due() == START + CounterPace::SETTLES);
}

TEST_CASE(
    "ops wait ten minutes for the next step, entries an hour, and both go with the earlier one") {
  CounterPace pace;
  pace.stepped(START);
  pace.changed(Of::ENTRIES, START + 1 * kj::MINUTES);
  REQUIRE(pace.due() == START + CounterPace::BETWEEN_ENTRIES);
  pace.changed(Of::OPS, START + 2 * kj::MINUTES);
  REQUIRE(pace.due() == START + CounterPace::BETWEEN_OPS);
  pace.stepped(START + CounterPace::BETWEEN_OPS);
  REQUIRE(pace.due() == nullptr);
}

TEST_CASE("a year of changes without a break takes as many steps as a chip bears") {
  CounterPace pace;
  uint64_t steps = 0;
  for (auto now = START; now < START + 365 * kj::DAYS; now += 1 * kj::MINUTES) {
    pace.changed(Of::OPS, now);
    KJ_IF_MAYBE(due, pace.due()) {
      if (*due > now) continue;
      pace.stepped(now);
      ++steps;
    }
  }
  REQUIRE(steps <= 52'560);
  REQUIRE(steps > 52'000);
}

TEST_CASE("a step that failed is tried again, and not at once") {
  CounterPace pace;
  pace.stepped(START);
  pace.failed(START);
  REQUIRE(pace.due() == START + CounterPace::BETWEEN_OPS);
}

}  // namespace
}  // namespace hearth::devices
