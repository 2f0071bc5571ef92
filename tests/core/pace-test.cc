#include "core/time/pace.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

constexpr auto START = kj::origin<kj::TimePoint>() + 1 * kj::HOURS;
constexpr uint64_t RATE = 1'000;  // bytes a second

TEST_CASE("a burst of one second's bytes passes at once, and what follows at the rate") {
  Pace pace(RATE);
  REQUIRE(pace.passed(1'000, START) == 0 * kj::SECONDS);
  REQUIRE(pace.passed(500, START) == 500 * kj::MILLISECONDS);
  REQUIRE(pace.passed(500, START + 500 * kj::MILLISECONDS) == 500 * kj::MILLISECONDS);
}

TEST_CASE("a long rest saves up no more than one burst") {
  Pace pace(RATE);
  pace.passed(1, START);
  auto later = START + 1 * kj::DAYS;
  REQUIRE(pace.passed(1'000, later) == 0 * kj::SECONDS);
  REQUIRE(pace.passed(1'000, later) == 1 * kj::SECONDS);
}

TEST_CASE("without a rate nothing waits") {
  Pace pace(0);
  REQUIRE(pace.passed(size_t{1} << 40, START) == 0 * kj::SECONDS);
}

}  // namespace
}  // namespace hearth
