#include "storage/search/snippet.h"

#include <kj/encoding.h>

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage::search {
namespace {

Snippet snippet(std::string_view text, std::string_view typed) {
  Words words;
  return snippetOf(text, parseQuery(typed, words), words);
}

std::vector<std::string> marked(const Snippet& snippet) {
  std::vector<std::string> all;
  for (auto& mark: snippet.marks)
    all.push_back(snippet.text.substr(mark.begin, mark.end - mark.begin));
  return all;
}

using Marked = std::vector<std::string>;

// Of many words, none of them looked for.
std::string filler(size_t words) {
  std::string text;
  for (size_t i = 0; i < words; ++i) text += "filler" + std::to_string(i) + " ";
  return text;
}

TEST_CASE("a short text is its own snippet") {
  auto found = snippet("Buy milk and bread", "milk");
  REQUIRE(found.text == "Buy milk and bread");
  REQUIRE(marked(found) == Marked{"milk"});
  REQUIRE(!found.hasBefore);
  REQUIRE(!found.hasAfter);
}

TEST_CASE("a snippet lies around what was looked for, cut at words") {
  auto found = snippet(filler(500) + "the dentist calls " + filler(500), "dentist");
  REQUIRE(found.text.size() <= Snippet::BYTES_MAX);
  REQUIRE(marked(found) == Marked{"dentist"});
  REQUIRE(found.hasBefore);
  REQUIRE(found.hasAfter);
  REQUIRE(found.text.starts_with("filler"));
}

TEST_CASE("a snippet is where most of the terms are") {
  auto found =
      snippet("milk " + filler(100) + "bread " + filler(100) + "bread and milk", "milk bread");
  REQUIRE(marked(found) == Marked{"bread", "milk"});
}

TEST_CASE("phrases and beginnings are marked whole, and diacritics do not matter") {
  REQUIRE(marked(snippet("in New York, new yorker", "\"new york\"")) == Marked{"New York"});
  REQUIRE(marked(snippet("dental, dentist, dens", "dent*")) == Marked{"dental", "dentist"});
  REQUIRE(marked(snippet("Crème brûlée", "creme BRULEE")) == Marked{"Crème", "brûlée"});
}

TEST_CASE("terms that lie over one another are marked once") {
  REQUIRE(marked(snippet("new york", "new \"new york\" york")) == Marked{"new", " york"});
}

TEST_CASE("what must not be there is not marked") {
  REQUIRE(marked(snippet("milk", "bread -milk")).empty());
}

TEST_CASE("a text without the words shows its beginning") {
  auto found = snippet(filler(100), "milk");
  REQUIRE(found.text.starts_with("filler0 filler1"));
  REQUIRE(found.marks.empty());
  REQUIRE(!found.hasBefore);
  REQUIRE(found.hasAfter);
  REQUIRE(snippet("", "milk") == Snippet{});
}

TEST_CASE("a snippet is one line that a terminal may show") {
  using namespace std::string_literals;
  auto found = snippet("one\ntwo\x1b[31m\tmilk\0end\xc2\x9b"
                       "x"s,
      "milk");
  REQUIRE(found.text == "one two [31m milk end  x");
}

TEST_CASE("a word longer than a snippet is cut between characters") {
  std::string word;
  for (int i = 0; i < 200; ++i) word += "ä";
  auto found = snippet("x " + word + " y", "x");
  REQUIRE(found.text.size() <= Snippet::BYTES_MAX);
  for (auto& at: {"ä", "x"}) REQUIRE(found.text.find(at) != std::string::npos);
  REQUIRE((found.text.size() - 2) % 2 == 0);
  auto within = snippet("a " + word, word);
  REQUIRE(within.text.size() <= Snippet::BYTES_MAX);
  REQUIRE(within.marks.empty());
}

TEST_CASE("whatever the text is, a snippet is UTF-8, and its marks lie in it") {
  uint32_t state = 1;
  auto next = [&]() { return (state = state * 1'664'525 + 1'013'904'223) >> 16; };
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (auto length = next() % 600; text.size() < length;) {
      switch (next() % 4) {
        case 0:
          text += static_cast<char>(next());
          break;
        case 1:
          text += "milk ";
          break;
        case 2:
          text += "東";
          break;
        default:
          text += "é ";
      }
    }
    auto found = snippet(text, "milk 東 e*");
    REQUIRE(found.text.size() <= Snippet::BYTES_MAX);
    size_t last = 0;
    for (auto& mark: found.marks) {
      REQUIRE(mark.begin >= last);
      REQUIRE(mark.end > mark.begin);
      last = mark.end;
    }
    REQUIRE(last <= found.text.size());
    REQUIRE(kj::encodeUtf32(kj::arrayPtr(found.text.data(), found.text.size())).hadErrors == false);
  }
}

}  // namespace
}  // namespace hearth::storage::search
