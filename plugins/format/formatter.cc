#include "plugins/format/formatter.h"

#include "plugins/format/numbers.h"
#include "plugins/format/words.h"

#include <algorithm>
#include <cstdint>

namespace hearth::format {

namespace {

// A sign that was spoken, in the place of its words.
struct Sign {
  std::string_view first, second;  // the second word is empty where one word is enough
  std::string_view text;
};
constexpr Sign SIGNS[] = {{"comma", "", ","}, {"period", "", "."}, {"full", "stop", "."},
    {"question", "mark", "?"}, {"exclamation", "mark", "!"}, {"exclamation", "point", "!"},
    {"colon", "", ":"}, {"semicolon", "", ";"}, {"new", "line", "\n"},
    {"new", "paragraph", "\n\n"}};

bool isSign(const std::string& word) {
  return std::any_of(
      std::begin(SIGNS), std::end(SIGNS), [&](auto& sign) { return sign.text == word; });
}
bool isBreak(const std::string& word) { return word == "\n" || word == "\n\n"; }
bool endsSentence(const std::string& word) {
  return word == "." || word == "?" || word == "!" || isBreak(word);
}

// RFC 3629: no overlong form, no surrogate, nothing past U+10FFFF.
bool isUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    auto lead = static_cast<uint8_t>(text[at]);
    size_t length = lead < 0x80       ? 1
        : lead >= 0xc2 && lead < 0xe0 ? 2
        : lead >= 0xe0 && lead < 0xf0 ? 3
        : lead >= 0xf0 && lead < 0xf5 ? 4
                                      : 0;
    if (length == 0 || at + length > text.size()) return false;
    for (size_t i = 1; i < length; i++) {
      auto byte = static_cast<uint8_t>(text[at + i]);
      uint8_t least = i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
      uint8_t most = i > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
      if (byte < least || byte > most) return false;
    }
    at += length;
  }
  return true;
}

// Lower-case words; control characters count as white space.
Words split(std::string_view text) {
  Words words(1);
  for (char c: text) {
    bool space = (c >= 0 && c <= ' ') || c == 0x7f;
    if (!space) words.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (space && !words.back().empty()) words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// "you know" says nothing at the end of a segment, and where a clause begins behind it: at the
// start or after a conjunction. Elsewhere it is meant: "do you know", "you know the answer".
bool isYouKnow(const Words& words, size_t at) {
  if (words[at] != "you" || at + 1 >= words.size() || words[at + 1] != "know") return false;
  bool free = at == 0 || isConjunction(words[at - 1]);
  bool last = at + 2 == words.size();
  if (last)
    return at > 1 && !isAuxiliary(words[at - 1]) && words[at - 1] != "let" && words[at - 1] != "as";
  return free && isSubject(words[at + 2]) && at + 3 < words.size();
}

Words withoutFillers(const Words& words) {
  Words out;
  for (size_t at = 0; at < words.size(); at++) {
    const auto& word = words[at];
    if (isFiller(word)) continue;
    if (isYouKnow(words, at)) {
      at++;
      continue;
    }
    bool stutter = !out.empty() && out.back() == word && !mayRepeat(word) && !isNumberWord(word);
    if (!stutter) out.push_back(word);
  }
  return out;
}

// "the period of time", "a new line" speak of the thing; they are not commands.
bool isSpoken(const Sign& sign, const Words& words, size_t at) {
  if (words[at] != sign.first) return false;
  size_t length = sign.second.empty() ? 1 : 2;
  if (length == 2 && (at + 1 >= words.size() || words[at + 1] != sign.second)) return false;
  if (at > 0 &&
      (isDeterminer(words[at - 1]) || words[at - 1] == "each" || words[at - 1] == "every")) {
    return false;
  }
  return at + length >= words.size() || words[at + length] != "of";
}

Words withSigns(const Words& words) {
  Words out;
  for (size_t at = 0; at < words.size(); at++) {
    auto sign = std::find_if(std::begin(SIGNS), std::end(SIGNS),
        [&](const Sign& one) { return isSpoken(one, words, at); });
    if (sign == std::end(SIGNS)) {
      out.push_back(words[at]);
      continue;
    }
    if (!sign->second.empty()) at++;
    // A sign at the very start belongs to text that has been delivered: only a break still works.
    std::string text(sign->text);
    if (!out.empty() || isBreak(text)) out.push_back(text);
  }
  return out;
}

bool asks(const Words& words, size_t at) {
  auto word = [&](size_t i) { return at + i < words.size() ? words[at + i] : std::string(); };
  auto first = word(0), second = word(1), third = word(2);
  if (first == "and" || first == "but" || first == "so")
    return at + 1 < words.size() && asks(words, at + 1);
  if (first == "who" || first == "whose" || first == "why") return true;
  if (first == "what's" || first == "who's" || first == "where's" || first == "how's") return true;
  if (first == "how" && isAskedAmount(second)) return true;
  if (first == "what" && second == "about") return true;
  if (first == "what" || first == "which")
    return isAuxiliary(second) ||
        (isAuxiliary(third) && !isSubject(second) && !isDeterminer(second));
  if (first == "when" || first == "where" || first == "how") return isAuxiliary(second);
  bool mayCommand = first == "do" || first == "have" || first == "don't" || first == "may";
  return isAuxiliary(first) && (isSubject(second) || (isDeterminer(second) && !mayCommand));
}

std::string capital(std::string word) {
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z')
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

bool isMonthHere(const Words& words, size_t at) {
  if (!isMonth(words[at])) return false;
  bool dayBehind = at + 1 < words.size() && words[at + 1][0] >= '0' && words[at + 1][0] <= '9';
  return dayBehind || (at > 0 && isMonthContext(words[at - 1]));
}

std::string cased(const Words& words, size_t at, bool begins) {
  const auto& word = words[at];
  bool me = word == "i" || word.starts_with("i'");
  bool name = isProperNoun(word.substr(0, word.find('\''))) || isMonthHere(words, at);
  return me || name || begins ? capital(word) : word;
}

std::string written(const Words& words, const Segment& segment) {
  std::string text;
  bool begins = !segment.continues;
  size_t sentence = 0;  // where the last one began
  for (size_t at = 0; at < words.size(); at++) {
    const auto& word = words[at];
    bool glued = text.empty() || text.back() == '\n' || isSign(word);
    if (!glued) text += ' ';
    text += isSign(word) ? word : cased(words, at, begins);
    begins = endsSentence(word);
    if (begins) sentence = at + 1;
  }
  if (segment.unfinished || words.empty() || isSign(words.back())) return text;
  bool whole = sentence > 0 || !segment.continues;
  return text + (whole && asks(words, sentence) ? "?" : ".");
}

}  // namespace

std::expected<std::string, Refusal> format(const Segment& segment) {
  if (segment.words.size() > TEXT_BYTES_MAX) return std::unexpected(Refusal::TOO_LONG);
  if (!isUtf8(segment.words)) return std::unexpected(Refusal::NOT_UTF8);
  return written(withDigits(withSigns(withoutFillers(split(segment.words)))), segment);
}

}  // namespace hearth::format
