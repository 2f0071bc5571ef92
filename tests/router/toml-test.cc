#include "router/graph/toml.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>

namespace hearth::router {
namespace {

std::string repeat(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string keyOf(size_t parts) { return repeat("a.", parts - 1) + "a"; }

TEST_CASE("foreign TOML that the library only asserts about is refused") {
  auto text = GENERATE(as<std::string>{}, "[[[", "[=]", "[#", "[.a]", "[\n]", "[[\xc5\xba]]",
      "nam\xc3\xa9 = 1", "a = \xc5\xba", "\xc5\xba");
  CAPTURE(text);
  REQUIRE(!readToml(text));
}

TEST_CASE("letters that are not ASCII stand in TOML's strings and comments") {
  auto read = readToml("a = \"\"\"\\\n  \xc3\xa9\"\"\"  # \xc5\xba\n'\xc5\xba' = 1\n");
  REQUIRE(read);
  REQUIRE(read.table()["a"].value<std::string>() == "\xc3\xa9");
}

TEST_CASE("TOML values nest 32 deep and no deeper") {
  REQUIRE(readToml("a = " + repeat("[", 32) + repeat("]", 32)));
  REQUIRE(!readToml("a = " + repeat("[", 33) + repeat("]", 33)));
  REQUIRE(!readToml("a = " + repeat("[", 100'000)));
  REQUIRE(!readToml("a = " + repeat("{a=", 50'000)));
  REQUIRE(!readToml(repeat("[", 100'000)));
}

TEST_CASE("a TOML key has at most 32 parts, wherever it stands") {
  REQUIRE(readToml(keyOf(32) + " = 1"));
  REQUIRE(readToml("[" + keyOf(32) + "]"));
  auto around = GENERATE(std::pair("", " = 1"), std::pair("[", "]"), std::pair("[[", "]]"),
      std::pair("a = {", " = 1}"), std::pair("b = \"\"\"\"b\"\"\"\"\n", " = 1"),
      std::pair("b = \"\\\"\"\n", " = 1"), std::pair("b = '\\'\n", " = 1"),
      std::pair("# \" ' = [\n", " = 1"));
  CAPTURE(around.first);
  REQUIRE(readToml(around.first + keyOf(32) + around.second));
  REQUIRE(!readToml(around.first + keyOf(33) + around.second));
  REQUIRE(!readToml(around.first + keyOf(60'000) + around.second));
}

TEST_CASE("the line of a TOML key with too many parts is named") {
  auto read = readToml("a = '''\n\n'''\n" + keyOf(33) + " = 1");
  REQUIRE(!read);
  REQUIRE(read.error().source().begin.line == 4);
}

TEST_CASE("dots in TOML's strings, comments and lists of numbers are no parts of a key") {
  REQUIRE(readToml("a = \"" + repeat(".", 100) + "\"  # " + repeat(".", 100)));
  REQUIRE(readToml("a = [" + repeat("1.5,", 100) + "]"));
  REQUIRE(readToml("a = '''\n" + repeat(".", 100) + "'''"));
}

}  // namespace
}  // namespace hearth::router
