#include "storage/search/snippet.h"

#include <algorithm>
#include <deque>

namespace hearth::storage::search {

namespace {

constexpr size_t MATCHES_MAX = 256;  // that are looked at
constexpr size_t BEFORE_BYTES =
    Snippet::BYTES_MAX / 3;  // of what stands before, where there is room

struct Match {
  size_t term, begin, end;
};

// Whether the words that came last are those of the term.
class Follower {
 public:
  explicit Follower(const Query& query): query(query) {
    for (auto& term: query.terms) longest = std::max(longest, term.words.size());
  }

  void follow(const Words::Word& word, std::vector<Match>& matches) {
    last.push_back({std::string(word.folded), word.begin, word.end});
    if (last.size() > longest) last.pop_front();
    for (size_t i = 0; i < query.terms.size(); ++i) {
      auto& term = query.terms[i];
      if (term.isExcluded || !ends(term)) continue;
      matches.push_back({i, last[last.size() - term.words.size()].begin, word.end});
    }
  }

 private:
  struct Seen {
    std::string folded;
    size_t begin, end;
  };
  const Query& query;
  size_t longest = 0;
  std::deque<Seen> last;

  bool ends(const Query::Term& term) const {
    auto count = term.words.size();
    if (last.size() < count) return false;
    auto from = last.end() - static_cast<ptrdiff_t>(count);
    for (size_t i = 0; i < count; ++i, ++from) {
      bool isBegun = term.isPrefix && i + 1 == count && from->folded.starts_with(term.words[i]);
      if (!isBegun && from->folded != term.words[i]) return false;
    }
    return true;
  }
};

struct Window {
  size_t first = 0, last = 0;  // of the matches
  size_t terms = 0;
};

// Matches from one on that fit, and how many terms they are of.
Window windowFrom(const std::vector<Match>& matches, size_t first, size_t terms) {
  std::vector<bool> seen(terms);
  Window window{first, first, 0};
  for (size_t i = first; i < matches.size(); ++i) {
    if (matches[i].end - matches[first].begin > Snippet::BYTES_MAX && i > first) break;
    window.last = i;
    if (!seen[matches[i].term]) ++window.terms;
    seen[matches[i].term] = true;
  }
  return window;
}

std::vector<Match> matchesIn(std::string_view text, const Query& query, const Words& words) {
  std::vector<Match> matches;
  Follower follower(query);
  auto wanted = static_cast<size_t>(
      std::ranges::count_if(query.terms, [](auto& term) { return !term.isExcluded; }));
  auto enough = text.size();  // what comes behind it makes nothing better
  words.cut(text, [&](const Words::Word& word) {
    if (word.end > enough) return false;
    auto before = matches.size();
    follower.follow(word, matches);
    if (matches.size() > before && enough == text.size()) {
      auto first = matches.size() - std::min(matches.size(), wanted);
      bool isDone = windowFrom(matches, first, query.terms.size()).terms == wanted;
      if (isDone) enough = std::min(enough, matches[first].begin + Snippet::BYTES_MAX);
    }
    return matches.size() < MATCHES_MAX;
  });
  return matches;
}

bool isInside(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80;
}

bool isSpace(char c) { return static_cast<uint8_t>(c) <= ' '; }

// Where to begin so that no word is cut; a word without end is.
size_t beginAt(std::string_view text, size_t from, size_t before) {
  if (from == 0) return 0;
  for (auto at = from; at < before; ++at) {
    if (isSpace(text[at - 1])) return at;
  }
  while (from < before && isInside(text, from)) ++from;
  return from;
}

size_t endAt(std::string_view text, size_t from, size_t after) {
  if (from >= text.size()) return text.size();
  for (auto at = from; at > after; --at) {
    if (isSpace(text[at])) return at;
  }
  while (from > after && isInside(text, from)) --from;
  return from;
}

// In one line, and UTF-8 whatever it was. Keeps the length.
std::string shown(std::string_view text) {
  std::string line(text);
  for (size_t i = 0; i < line.size();) {
    auto byte = static_cast<uint8_t>(line[i]);
    size_t length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
    if (byte > 0xf4) length = 0;
    bool isWhole = length > 0 && i + length <= line.size();
    for (size_t k = 1; isWhole && k < length; ++k) isWhole = isInside(line, i + k);
    auto second = length > 2 && isWhole ? static_cast<uint8_t>(line[i + 1]) : 0x80;
    bool isShortest = !(byte == 0xe0 && second < 0xa0) && !(byte == 0xf0 && second < 0x90);
    bool isPoint = !(byte == 0xed && second > 0x9f) && !(byte == 0xf4 && second > 0x8f);
    // C1 controls move the cursor of terminals, too.
    bool isControl = byte < ' ' || byte == 0x7f ||
        (byte == 0xc2 && isWhole && static_cast<uint8_t>(line[i + 1]) < 0xa0);
    if (isWhole && isShortest && isPoint && !isControl) {
      i += length;
    } else {
      auto end = isControl && isWhole ? i + length : i + 1;
      for (; i < end; ++i) line[i] = ' ';
    }
  }
  return line;
}

}  // namespace

Snippet snippetOf(std::string_view text, const Query& query, const Words& words) {
  auto matches = matchesIn(text, query, words);
  Window best;
  for (size_t i = 0; i < matches.size(); ++i) {
    auto window = windowFrom(matches, i, query.terms.size());
    if (window.terms > best.terms) best = window;
  }
  size_t from = 0, until = 0;
  if (!matches.empty()) {
    from = matches[best.first].begin;
    for (auto i = best.first; i <= best.last; ++i) until = std::max(until, matches[i].end);
    until = std::min(until, from + Snippet::BYTES_MAX);
  }
  auto room = Snippet::BYTES_MAX - (until - from);
  auto before = std::min({from, BEFORE_BYTES, room});
  auto begin = beginAt(text, from - before, from);
  auto end = endAt(text, std::min(text.size(), begin + Snippet::BYTES_MAX), until);
  Snippet snippet{shown(text.substr(begin, end - begin)), {}, begin > 0, end < text.size()};
  for (size_t i = best.first; i < matches.size() && matches[i].begin < end; ++i) {
    auto& match = matches[i];
    if (match.begin < begin || match.end > end) continue;
    auto last = snippet.marks.empty() ? 0 : snippet.marks.back().end;
    auto mark = Snippet::Mark{std::max(last, match.begin - begin), match.end - begin};
    if (mark.begin < mark.end) snippet.marks.push_back(mark);
  }
  return snippet;
}

}  // namespace hearth::storage::search
