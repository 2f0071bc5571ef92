// Content of documents that JSON has not.

#include "bindings/local/json-tree.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::local {
namespace {

using storage::Tree;

TEST_CASE("a counter reads back, up to the greatest and down to the least") {
  for (auto json: {R"({"$counter":0})", R"({"$counter":9223372036854775807})",
           R"({"$counter":-9223372036854775808})"}) {
    REQUIRE(jsonOf(treeOf(json).value(), true) == json);
  }
}

TEST_CASE("a counter beyond what 64 bits hold is refused, and so is a part of a number") {
  for (auto json: {R"({"$counter":9223372036854775808})", R"({"$counter":18446744073709551615})",
           R"({"$counter":18446744073709551616})", R"({"$counter":-9223372036854775809})",
           R"({"$counter":1.5})"}) {
    auto refused = treeOf(json).error();
    REQUIRE(refused.code == Errc::BAD_FORMAT);
    REQUIRE(std::string(refused.because.cStr()).find("counter") != std::string::npos);
  }
}

TEST_CASE("a counter that is no number is a form that there is not") {
  REQUIRE(treeOf(R"({"$counter":"3"})").error().code == Errc::BAD_FORMAT);
}

}  // namespace
}  // namespace hearth::local
