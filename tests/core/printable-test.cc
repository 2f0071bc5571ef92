#include "core/base/printable.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth {
namespace {

TEST_CASE("names in any script can be shown") {
  for (auto text: {"", "laptop", "K\u00fcche", "\u96fb\u8a71", "\U0001f4f1"})
    REQUIRE(isPrintable(text));
}

TEST_CASE("what steers a terminal or turns the direction of writing is not shown") {
  for (auto text: {"\x1b[2J", "a\nb", "\a", "\x7f", "\u0085", "\u009b2J", "\u2028", "\u061c",
           "\u200e", "\u202e", "\u2066", "\u2069", "\ufeff"})
    REQUIRE_FALSE(isPrintable(text));
  REQUIRE_FALSE(isPrintable(kj::StringPtr("a\0b", 3)));
}

// RFC 3629: cut, out of place, too long for what it says, half of a pair, beyond the last one.
TEST_CASE("what is no UTF-8 is not shown") {
  for (auto text: {"\xc3", "\xe2\x80", "\x80", "\xff", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf",
           "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    REQUIRE_FALSE(isPrintable(text));
}

}  // namespace
}  // namespace hearth
