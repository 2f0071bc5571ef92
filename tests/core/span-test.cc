#include "core/time/span.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

kj::Duration read(std::string_view typed) { return parseSpan(typed).orDefault(0 * kj::SECONDS); }

TEST_CASE("spans are read in days, hours, minutes and seconds") {
  REQUIRE(read("90s") == 90 * kj::SECONDS);
  REQUIRE(read("10m") == 10 * kj::MINUTES);
  REQUIRE(read("1h30m") == 90 * kj::MINUTES);
  REQUIRE(read("2d") == 2 * kj::DAYS);
}

TEST_CASE("what is no span, or none at all, is refused") {
  for (auto typed: {"", "soon", "10", "10 m", "m", "-1m", "0s", "1.5h", "10m10", "1w", "999999d",
           "100000d1s", "99999999999999999999s"})
    REQUIRE(parseSpan(typed) == nullptr);
}

}  // namespace
}  // namespace hearth
