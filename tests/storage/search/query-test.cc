#include "storage/search/query.h"

#include <kj/debug.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage::search {
namespace {

std::string match(std::string_view typed) {
  Words words;
  return matchOf(parseQuery(typed, words)).cStr();
}

size_t termsOf(std::string_view typed) {
  Words words;
  return parseQuery(typed, words).terms.size();
}

std::vector<std::string> cut(std::string_view text) {
  std::vector<std::string> all;
  Words().cut(text, [&](const Words::Word& word) {
    all.emplace_back(word.folded);
    return true;
  });
  return all;
}

using Cut = std::vector<std::string>;

TEST_CASE("words are folded and lose their diacritics") {
  REQUIRE(cut("Crème BRÛLÉE, naïve") == Cut{"creme", "brulee", "naive"});
  REQUIRE(cut("IMG_2024-budget.final.TXT") == Cut{"img", "2024", "budget", "final", "txt"});
}

TEST_CASE("a script without spaces is cut into its characters") {
  REQUIRE(cut("東京タワー2024 Tower") == Cut{"東", "京", "タ", "ワ", "ー", "2024", "tower"});
}

TEST_CASE("a word says where it stands in the text") {
  std::string text = "é 東b";
  std::vector<std::string> seen;
  Words().cut(text, [&](const Words::Word& word) {
    seen.push_back(text.substr(word.begin, word.end - word.begin));
    return true;
  });
  REQUIRE(seen == Cut{"é", "東", "b"});
}

TEST_CASE("cutting ends when it is told to, and passes on what is thrown") {
  Words words;
  size_t seen = 0;
  words.cut("one two three", [&](const Words::Word&) { return ++seen < 2; });
  REQUIRE(seen == 2);
  REQUIRE_THROWS_AS(
      words.cut("one", [](const Words::Word&) -> bool { KJ_FAIL_REQUIRE("no"); }), kj::Exception);
  REQUIRE(cut("still works").size() == 2);
}

TEST_CASE("words, phrases, beginnings and what must not be there are terms") {
  REQUIRE(match("Dentist  milk") == R"(("dentist" AND "milk"))");
  REQUIRE(match(R"("New York" trip)") == R"(("new york" AND "trip"))");
  REQUIRE(match("dent*") == R"(("dent"*))");
  REQUIRE(match("d*") == R"(("d"))");
  REQUIRE(match(R"("new yo"*)") == R"(("new yo"*))");
  REQUIRE(match(R"(trip -milk -"new york")") == R"((("trip")) NOT ("milk" OR "new york"))");
}

TEST_CASE("a word with something in its middle is its parts, one after another") {
  REQUIRE(match("e-mail") == R"(("e mail"))");
  REQUIRE(match("2*3") == R"(("2 3"))");
}

TEST_CASE("operators of FTS5 are words") {
  REQUIRE(match("a AND b OR NOT c NEAR(d, 2) title:x ^y (z) {t} + e") ==
      R"(("a" AND "and" AND "b" AND "or" AND "not" AND "c" AND "near d" AND "2" AND "title x" AND "y" AND "z" AND "t" AND "e"))");
}

TEST_CASE("what has no words is no term") {
  REQUIRE(termsOf("") == 0);
  REQUIRE(termsOf(" \t\n ") == 0);
  REQUIRE(termsOf("\"") == 0);
  REQUIRE(termsOf("\"\"\"\" * ** - -- -* !!! \"...\" -\"\"") == 0);
  REQUIRE(match("!!! milk ???") == R"(("milk"))");
}

TEST_CASE("a quotation that nobody ends goes on to the end") {
  REQUIRE(match(R"(a "b c)") == R"(("a" AND "b c"))");
}

TEST_CASE("a query of what must not be there alone finds nothing") {
  Words words;
  REQUIRE(parseQuery("-milk", words).isEmpty());
  REQUIRE_THROWS_AS(matchOf(parseQuery("-milk", words)), kj::Exception);
}

TEST_CASE("bytes that are no text separate words") {
  using namespace std::string_literals;
  REQUIRE(match("milk\0bread"s) == R"(("milk" AND "bread"))");
  REQUIRE(match("milk\xff\xfe"
                "bread \xc3") == R"(("milk bread"))");
}

TEST_CASE("of a query of a megabyte as much counts as a query may have") {
  std::string many, one(1 << 20, 'a'), quotes(1 << 20, '"');
  while (many.size() < 1 << 20) many += "word" + std::to_string(many.size()) + " ";
  REQUIRE(termsOf(many) == Query::TERMS_MAX);
  REQUIRE(termsOf(one) == 1);
  REQUIRE(termsOf(quotes) == 0);
  Words words;
  auto phrase = parseQuery("\"" + many, words);
  REQUIRE(phrase.terms.size() == 1);
  REQUIRE(phrase.terms[0].words.size() == Query::WORDS_MAX);
}

}  // namespace
}  // namespace hearth::storage::search
