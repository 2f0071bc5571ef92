#include "storage/search/query.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage::search {

namespace {

bool isSpace(char c) { return static_cast<uint8_t>(c) <= ' ' || c == 0x7f; }

// One term after another of what was typed.
class Typed {
 public:
  explicit Typed(std::string_view text): rest(text.substr(0, Query::BYTES_MAX)) {}

  struct Piece {
    std::string_view text;
    bool isPrefix = false, isExcluded = false;
  };

  bool next(Piece& piece) {
    while (!rest.empty() && isSpace(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return false;
    piece = {};
    if (rest.size() > 1 && rest[0] == '-' && !isSpace(rest[1])) {
      piece.isExcluded = true;
      rest.remove_prefix(1);
    }
    piece.text = rest.front() == '"' ? quoted() : word();
    if (rest.starts_with('*')) {
      piece.isPrefix = true;
      rest.remove_prefix(1);
    }
    return true;
  }

 private:
  std::string_view rest;

  // A quotation that nobody ends goes on to the end.
  std::string_view quoted() {
    rest.remove_prefix(1);
    auto end = std::min(rest.find('"'), rest.size());
    auto text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
  }

  // The star ends a word only where the word ends: "2*3" is two words one after another.
  std::string_view word() {
    size_t end = 0;
    while (end < rest.size() && !isSpace(rest[end]) && rest[end] != '"') ++end;
    auto text = rest.substr(0, end);
    if (end > 1 && text.ends_with('*')) text = rest.substr(0, --end);
    rest.remove_prefix(end);
    return text;
  }
};

// Its words are folded and have neither quotes nor zeros in them: whatever is typed, this is a string of FTS5's.
std::string phraseOf(const Query::Term& term) {
  std::string phrase = "\"";
  for (auto& word: term.words) phrase += (phrase.size() > 1 ? " " : "") + word;
  return phrase + (term.isPrefix ? "\"*" : "\"");
}

std::string joined(const Query& query, bool excluded, const char* by) {
  std::string all;
  for (auto& term: query.terms) {
    if (term.isExcluded == excluded) all += (all.empty() ? "" : by) + phraseOf(term);
  }
  return all;
}

}  // namespace

bool Query::isEmpty() const {
  return std::ranges::all_of(terms, [](auto& term) { return term.isExcluded; });
}

Query parseQuery(std::string_view typed, const Words& words) {
  Query query;
  Typed in(typed);
  for (Typed::Piece piece; query.terms.size() < Query::TERMS_MAX && in.next(piece);) {
    Query::Term term{{}, piece.isPrefix, piece.isExcluded};
    words.cut(piece.text, [&](const Words::Word& word) {
      term.words.emplace_back(word.folded);
      return term.words.size() < Query::WORDS_MAX;
    });
    if (term.words.empty()) continue;
    term.isPrefix &= term.words.back().size() >= Query::PREFIX_BYTES_MIN;
    query.terms.push_back(std::move(term));
  }
  return query;
}

kj::String matchOf(const Query& query) {
  KJ_REQUIRE(!query.isEmpty(), "nothing is looked for");
  auto match = kj::str("(", joined(query, false, " AND "), ")");
  auto excluded = joined(query, true, " OR ");
  if (excluded.empty()) return match;
  return kj::str("(", match, ") NOT (", excluded, ")");
}

}  // namespace hearth::storage::search
