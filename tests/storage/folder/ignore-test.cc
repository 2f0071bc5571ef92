#include "storage/folder/ignore.h"
#include "tests/storage/folder/slow-glob.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <random>

namespace hearth::storage {
namespace {

FolderPath path(std::string_view text) { return FolderPath::parse(text).value(); }

// What one file at the top of a folder says.
struct Says {
  IgnoreRules rules;

  explicit Says(std::string_view text) { also("", text); }
  Says& also(std::string_view directory, std::string_view text) {
    REQUIRE(rules.add(directory.empty() ? FolderPath() : path(directory), text));
    return *this;
  }
  bool file(std::string_view at) const { return rules.ignores(path(at), false); }
  bool directory(std::string_view at) const { return rules.ignores(path(at), true); }
};

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST_CASE("a name without a slash is left out at any depth") {
  Says rules("*.o\nbuild\n");
  REQUIRE(rules.file("a.o"));
  REQUIRE(rules.file("d/e/a.o"));
  REQUIRE(rules.file("d/build"));
  REQUIRE_FALSE(rules.file("a.oo"));
  REQUIRE_FALSE(rules.file("builds"));
}

TEST_CASE("a slash at the beginning or in the middle ties a pattern to its directory") {
  Says rules("/top\nd/sub\n");
  REQUIRE(rules.file("top"));
  REQUIRE_FALSE(rules.file("d/top"));
  REQUIRE(rules.file("d/sub"));
  REQUIRE_FALSE(rules.file("e/d/sub"));
}

TEST_CASE("a slash at the end means directories alone, and with them what is in them") {
  Says rules("out/\n");
  REQUIRE(rules.directory("out"));
  REQUIRE(rules.directory("d/out"));
  REQUIRE(rules.file("d/out/a/b"));
  REQUIRE_FALSE(rules.file("out"));
}

TEST_CASE("of the lines that match the last one counts") {
  Says rules("*.log\n!keep.log\n/d/*\n!/d/a\n");
  REQUIRE(rules.file("x.log"));
  REQUIRE_FALSE(rules.file("keep.log"));
  REQUIRE(rules.file("d/b"));
  REQUIRE_FALSE(rules.file("d/a"));
}

TEST_CASE("in a directory that is left out nothing is let in again") {
  Says rules("d/\n!d/a\n");
  rules.also("d", "!*\n");
  REQUIRE(rules.file("d/a"));
}

TEST_CASE("the nearest file counts, and speaks of its own directory") {
  Says rules("*.txt\n");
  rules.also("d", "!*.txt\n/a.md\n").also("d/e", "a.txt\n");
  REQUIRE(rules.file("a.txt"));
  REQUIRE_FALSE(rules.file("d/a.txt"));
  REQUIRE(rules.file("d/e/a.txt"));
  REQUIRE_FALSE(rules.file("d/e/b.txt"));
  REQUIRE(rules.file("d/a.md"));
  REQUIRE_FALSE(rules.file("a.md"));
  REQUIRE_FALSE(rules.file("d/e/a.md"));
}

TEST_CASE("a file that is read again says what it says now, and nothing when it is gone") {
  Says rules("a\n");
  REQUIRE(rules.file("d/a"));
  rules.also("", "b\n");
  REQUIRE_FALSE(rules.file("d/a"));
  REQUIRE(rules.file("d/b"));
  rules.rules.remove(FolderPath());
  REQUIRE_FALSE(rules.file("d/b"));
}

TEST_CASE("stars stop at slashes, and two of them between slashes do not") {
  Says rules("/a*z\n/b/*/c\n**/d/e\n/f/**\n/g/**/h\n");
  REQUIRE(rules.file("az"));
  REQUIRE(rules.file("a-z"));
  REQUIRE_FALSE(rules.file("a/z"));
  REQUIRE(rules.file("b/x/c"));
  REQUIRE_FALSE(rules.file("b/c"));
  REQUIRE_FALSE(rules.file("b/x/y/c"));
  REQUIRE(rules.file("d/e"));
  REQUIRE(rules.file("x/y/d/e"));
  REQUIRE_FALSE(rules.directory("f"));
  REQUIRE(rules.file("f/x/y"));
  REQUIRE(rules.file("g/h"));
  REQUIRE(rules.file("g/x/y/h"));
  REQUIRE_FALSE(rules.file("gh"));
}

TEST_CASE("stars that are not between slashes are one star, as git's documentation says") {
  Says rules("/a**/b\n/c/x**y\n");
  REQUIRE(rules.file("ax/b"));
  REQUIRE_FALSE(rules.file("ax/y/b"));
  REQUIRE(rules.file("c/x-y"));
  REQUIRE_FALSE(rules.file("c/x/y"));
}

TEST_CASE("classes have members, ranges, names and what they are not") {
  Says rules("[abc]1\n[a-c]2\n[!a]3\n[^a]4\n[[:digit:]_]5\n[]]6\n[a\\]]7\n[[:x]8\n[a-]9\n");
  for (auto name:
      {"a1", "c1", "b2", "b3", "b4", "75", "_5", "]6", "a7", "]7", "[8", ":8", "x8", "a9", "-9"})
    REQUIRE(rules.file(name));
  for (auto name: {"d1", "d2", "a3", "a4", "x5", "a6", "b7", "b8", "b9"})
    REQUIRE_FALSE(rules.file(name));
}

TEST_CASE("a class that is not closed, or of no such name, matches nothing") {
  Says rules("[a\n[[:letter:]]\na\\\n[a-\n");
  for (auto name: {"a", "[a", "l", "a\\", "[a-"}) REQUIRE_FALSE(rules.file(name));
}

TEST_CASE("what is special is taken as it is behind a backslash") {
  Says rules("\\#a\n\\!b\n\\*\nc\\ \n\\d\n");
  for (auto name: {"#a", "!b", "*", "c ", "d"}) REQUIRE(rules.file(name));
  for (auto name: {"x", "c"}) REQUIRE_FALSE(rules.file(name));
}

TEST_CASE("comments, empty lines, spaces at the end and ends of lines from elsewhere say nothing") {
  Says rules("\xef\xbb\xbf"
             "a  \n\n# b\n   \r\nc\r\n!\n/\n//\nd");
  for (auto name: {"a", "c", "d"}) REQUIRE(rules.file(name));
  for (auto name: {"b", "# b", " ", "x"}) REQUIRE_FALSE(rules.file(name));
}

TEST_CASE("the case of letters counts") {
  Says rules("readme\n");
  REQUIRE_FALSE(rules.file("README"));
}

TEST_CASE("what is nobody's file is left out from the start, and can be let in") {
  Says rules("!*.part\n");
  for (auto name: {".DS_Store", "d/Thumbs.db", "desktop.ini", "a.txt~", ".#a", ".a.swp", "a.swp",
           "~$report.docx", "film.crdownload"})
    REQUIRE(rules.file(name));
  REQUIRE(rules.directory(".Trash-1000"));
  REQUIRE(rules.directory("lost+found"));
  for (auto name: {"film.part", "a.txt", ".hearthignore", "lost+found", ".profile"})
    REQUIRE_FALSE(rules.file(name));
}

TEST_CASE("the folder itself is never left out") {
  REQUIRE_FALSE(Says("*\n/\n**\n").rules.ignores(FolderPath(), true));
}

TEST_CASE("lines and files that are too long are refused, and what was said before stays") {
  Says rules("a\n");
  auto refused = [&](const std::string& text) {
    return rules.rules.add(FolderPath(), text).error().code;
  };
  REQUIRE(
      refused("b\n" + repeated("x", IgnorePattern::LINE_BYTES_MAX + 1)) == Errc::LIMIT_EXCEEDED);
  REQUIRE(refused(repeated("#\n", IgnoreRules::FILE_BYTES_MAX / 2 + 1)) == Errc::LIMIT_EXCEEDED);
  REQUIRE(rules.file("a"));
  REQUIRE_FALSE(rules.file("b"));
  REQUIRE(rules.rules.add(FolderPath(), repeated("x", IgnorePattern::LINE_BYTES_MAX)));
}

TEST_CASE("a folder has so many files that say what is left out, and no more") {
  IgnoreRules rules;
  for (size_t i = 0; i < IgnoreRules::FILES_MAX; ++i)
    REQUIRE(rules.add(path(std::to_string(i)), "a"));
  REQUIRE(rules.add(path("more"), "a").error().code == Errc::LIMIT_EXCEEDED);
  REQUIRE(rules.add(path("7"), "b"));
}

TEST_CASE("patterns that are made to be slow are not") {
  auto pattern = GENERATE(as<std::string>(), repeated("*a", 500) + "b", repeated("**/", 300) + "b",
      "/" + repeated("**/*a*", 160) + "/b", "*" + repeated("a", 250) + "b",
      "/" + repeated("*/", 500) + "b", "/**/" + repeated("*a/", 300) + "b",
      "/**\\/" + repeated("*?*a/", 200) + "b", repeated("[!b]*", 200) + "b");
  auto parsed = IgnorePattern::parse(pattern).value();
  std::vector<std::string> paths{repeated(repeated("a", 31) + "/", 127) + "a",
      repeated(repeated("a", 254) + "/", 15) + repeated("a", 255), repeated("a/", 127) + "a"};
  auto begin = std::chrono::steady_clock::now();
  for (size_t bytes = 0; bytes < IgnoreRules::FILE_BYTES_MAX; bytes += pattern.size() + 1) {
    KJ_IF_MAYBE(one, parsed) {
      for (auto& path: paths) REQUIRE_FALSE(one->matches(path, false));
    }
  }
  // A file full of them, and the longest paths there are. In every way that there is it would take years.
  REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("patterns match what they match when every way is tried") {
  auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 luck(seed);
  auto pick = [&](auto& from) { return std::string(from[luck() % std::size(from)]); };
  const char* parts[] = {"a", "b", "*", "**", "?", "/", "/", "[ab]", "\\a", "**/", "/**/", "/**"};
  const char* letters[] = {"a", "b", "/", "ab", "c"};
  size_t matched = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string pattern = "/", text = "a";
    for (auto n = luck() % 7 + 1; n > 0; --n) pattern += pick(parts);
    for (auto n = luck() % 9; n > 0; --n) text += pick(letters);
    if (!FolderPath::parse(text) || pattern.ends_with('/')) continue;
    auto parsed = IgnorePattern::parse(pattern).value();
    KJ_IF_MAYBE(one, parsed) {
      INFO(pattern << " and " << text);
      auto expected = slowlyMatches(std::string_view(pattern).substr(1), text);
      REQUIRE(one->matches(text, false) == expected);
      matched += expected;
    }
  }
  REQUIRE(matched > 10'000);
}

}  // namespace
}  // namespace hearth::storage
