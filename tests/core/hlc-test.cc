#include "core/time/hlc.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

constexpr kj::Date NOON = kj::UNIX_EPOCH + 20'000 * kj::DAYS;

TEST_CASE("stamps follow wall time and count within one millisecond") {
  Hlc clock;
  auto first = clock.tick(NOON);
  auto second = clock.tick(NOON);
  REQUIRE(second > first);
  REQUIRE(second.wallMs() == first.wallMs());
  REQUIRE(clock.tick(NOON + 5 * kj::MILLISECONDS).wallMs() == first.wallMs() + 5);
}

TEST_CASE("stamps grow though the wall clock runs backwards or stands before 1970") {
  Hlc clock;
  auto last = clock.tick(NOON);
  for (auto wall: {NOON - 3650 * kj::DAYS, kj::UNIX_EPOCH - 1 * kj::DAYS, NOON}) {
    auto next = clock.tick(wall);
    REQUIRE(next > last);
    last = next;
  }
}

TEST_CASE("a stamp that was seen is never fallen behind") {
  Hlc clock;
  HlcStamp ahead{Hlc(HlcStamp()).tick(NOON + 1 * kj::HOURS)};
  REQUIRE(clock.observe(ahead, NOON));
  REQUIRE(clock.tick(NOON) > ahead);
}

TEST_CASE("a stamp from the far future is refused and changes nothing") {
  Hlc clock;
  auto before = clock.tick(NOON);
  HlcStamp wild{Hlc(HlcStamp()).tick(NOON + 25 * kj::HOURS)};
  REQUIRE(clock.observe(wild, NOON).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(clock.newest() == before);
}

TEST_CASE("more events than fit into a millisecond still grow") {
  Hlc clock;
  auto last = clock.tick(NOON);
  for (int i = 0; i < 70'000; ++i) {
    auto next = clock.tick(NOON);
    REQUIRE(next.value == last.value + 1);
    last = next;
  }
}

}  // namespace
}  // namespace hearth
