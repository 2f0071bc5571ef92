#include "storage/folder/folder-path.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

namespace hearth::storage {
namespace {

FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

Errc refused(std::string_view text) { return FolderPath::parse(text).error().code; }

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST_CASE("a path is names with slashes between them, and gives them back") {
  auto text = GENERATE(as<std::string>(), "a", "a/b/c", "Fotos 2026/Ü ber.jpg", "...", ".git/HEAD",
      "a.", "con", "back\\slash", "-rf", " ", "日本/語", "~", "hearth", ".hearthignore", "hearth~",
      "hearth~1x");
  REQUIRE(path(text).str() == text);
  REQUIRE(!path(text).isFolder());
}

TEST_CASE("the folder itself has an empty path, which no text is read as") {
  REQUIRE(FolderPath().isFolder());
  REQUIRE(FolderPath().str() == "");
  REQUIRE(FolderPath().name() == "");
  REQUIRE(refused("") == Errc::BAD_FORMAT);
}

TEST_CASE("names that lead out, or nowhere, are refused") {
  auto text = GENERATE(
      as<std::string>(), "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b");
  REQUIRE(refused(text) == Errc::BAD_FORMAT);
}

TEST_CASE("control characters are refused, wherever they are") {
  auto text = GENERATE(as<std::string>(), "a\nb", "\x1b[2J", "a/\x7f/b", "\xc2\x85", "x\xc2\x9f");
  REQUIRE(refused(text) == Errc::BAD_FORMAT);
  REQUIRE(refused(std::string_view("a\0b", 3)) == Errc::BAD_FORMAT);
  REQUIRE(FolderPath::parse("\xc2\xa0").has_value());  // a space that does not break is none
}

TEST_CASE("what is not UTF-8 is refused") {
  auto text = GENERATE(as<std::string>(), "\xff", "caf\xe9", "\xc0\xaf", "\xed\xa0\x80",
      "a/\xe2\x82", "\xf4\x90\x80\x80");
  REQUIRE(refused(text) == Errc::BAD_FORMAT);
}

TEST_CASE("Hearth's own directory has no path, as whatever a file system may take it for") {
  auto text = GENERATE(as<std::string>(), ".hearth", ".hearth/folder", "a/.hearth", ".HEARTH",
      ".Hearth/folder", ".hearth.", ".hearth. .", ".hea\u200crth", "\ufeff.hearth", "hearth~1",
      "HEARTH~12/folder");
  REQUIRE(refused(text) == Errc::BAD_FORMAT);
}

TEST_CASE("a name has 255 bytes at most") {
  REQUIRE(FolderPath::parse(repeated("x", 255)).has_value());
  REQUIRE(refused(repeated("x", 256)) == Errc::LIMIT_EXCEEDED);
  REQUIRE(refused("a/" + repeated("é", 128)) == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a path has 4096 bytes at most") {
  auto names = repeated(repeated("x", 127) + "/", 31);
  REQUIRE(FolderPath::parse(names + repeated("x", 128)).has_value());
  REQUIRE(refused(names + repeated("x", 129)) == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a path has 128 names at most") {
  REQUIRE(FolderPath::parse(repeated("d/", 127) + "f").has_value());
  REQUIRE(refused(repeated("d/", 128) + "f") == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a child is one name below, held to the same rules") {
  REQUIRE(FolderPath().child("a").value() == path("a"));
  REQUIRE(path("a").child("b").value() == path("a/b"));
  REQUIRE(path("a").child("b/c").error().code == Errc::BAD_FORMAT);
  REQUIRE(path("a").child("").error().code == Errc::BAD_FORMAT);
  REQUIRE(path("a").child("..").error().code == Errc::BAD_FORMAT);
  REQUIRE(path("a").child(repeated("x", 256)).error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(path(repeated("d/", 127) + "d").child("e").error().code == Errc::LIMIT_EXCEEDED);
}

TEST_CASE("a path knows its name and the directory that it is in") {
  REQUIRE(path("a/b/c").name() == "c");
  REQUIRE(path("a/b/c").directory() == path("a/b"));
  REQUIRE(path("a").name() == "a");
  REQUIRE(path("a").directory() == FolderPath());
  REQUIRE_THROWS(FolderPath().directory());
}

TEST_CASE(
    "a path is within a directory at any depth, and not in one whose name only begins alike") {
  REQUIRE(path("a/b/c").isWithin(path("a")));
  REQUIRE(path("a/b/c").isWithin(path("a/b")));
  REQUIRE(path("a").isWithin(path("a")));
  REQUIRE(path("a").isWithin(FolderPath()));
  REQUIRE(FolderPath().isWithin(FolderPath()));
  REQUIRE_FALSE(path("ab").isWithin(path("a")));
  REQUIRE_FALSE(path("a").isWithin(path("a/b")));
  REQUIRE_FALSE(FolderPath().isWithin(path("a")));
}

}  // namespace
}  // namespace hearth::storage
