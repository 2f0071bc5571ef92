#include "plugins/format/numbers.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace hearth::format {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view SMALL[] = {"zero", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
    "seventeen", "eighteen", "nineteen"};
constexpr std::string_view TENS[] = {
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::string_view ORDINALS[] = {"zeroth", "first", "second", "third", "fourth", "fifth",
    "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};
constexpr std::string_view MONTHS[] = {"january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december"};
constexpr std::string_view UNITS[] = {"percent", "degrees", "dollars", "cents", "euros", "pounds",
    "miles", "kilometers", "meters", "centimeters", "millimeters", "feet", "inches", "kilograms",
    "grams", "liters", "volts", "watts", "hertz", "kilobytes", "megabytes", "gigabytes", "o'clock"};

constexpr uint64_t STAYS_A_WORD_MAX = 10;
constexpr uint64_t DIGIT_GROUPS_FROM = 10'000;
constexpr size_t SPELLED_DIGITS_MIN = 3;  // "five five five", a telephone number, say
constexpr uint64_t THOUSAND = 1'000, MILLION = 1'000'000, BILLION = 1'000'000'000;

std::optional<uint64_t> indexIn(Names names, std::string_view word) {
  auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) return std::nullopt;
  return static_cast<uint64_t>(found - names.begin());
}

bool contains(Names names, std::string_view word) { return indexIn(names, word).has_value(); }

std::string_view wordAt(const Words& words, size_t at) {
  return at < words.size() ? std::string_view(words[at]) : std::string_view();
}

// One to nineteen, or twenty to ninety with or without a unit behind it.
std::optional<Cardinal> belowHundred(const Words& words, size_t at) {
  auto word = wordAt(words, at);
  if (auto small = indexIn(SMALL, word)) return Cardinal{*small, 1};
  auto tens = indexIn(TENS, word);
  if (!tens) return std::nullopt;
  Cardinal number{(*tens + 2) * 10, 1};
  auto unit = indexIn(SMALL, wordAt(words, at + 1));
  if (unit && *unit >= 1 && *unit <= 9) number = {number.value + *unit, 2};
  return number;
}

// What follows a "hundred" or a "thousand": "fifty", "and fifty". Not the "and two" of "three
// hundred and two hundred".
std::optional<Cardinal> rest(const Words& words, size_t at) {
  size_t skipped = wordAt(words, at) == "and" ? 1 : 0;
  auto number = belowHundred(words, at + skipped);
  if (!number || number->value == 0) return std::nullopt;
  auto next = wordAt(words, at + skipped + number->words);
  if (next == "hundred" || (skipped && next == "thousand")) return std::nullopt;
  return Cardinal{number->value, number->words + skipped};
}

void add(Cardinal& number, const std::optional<Cardinal>& more) {
  if (more) number = {number.value + more->value, number.words + more->words};
}

std::optional<Cardinal> belowThousand(const Words& words, size_t at) {
  auto number = belowHundred(words, at);
  if (!number || number->value == 0 || wordAt(words, at + number->words) != "hundred")
    return number;
  Cardinal hundreds{number->value * 100, number->words + 1};
  size_t skipped = wordAt(words, at + hundreds.words) == "and" ? 1 : 0;
  auto more = belowHundred(words, at + hundreds.words + skipped);
  if (more && more->value > 0 &&
      wordAt(words, at + hundreds.words + skipped + more->words) != "hundred") {
    add(hundreds, Cardinal{more->value, more->words + skipped});
  }
  return hundreds;
}

// "nineteen ninety nine", "twenty twenty six", "nineteen oh five".
std::optional<Cardinal> readYear(const Words& words, size_t at) {
  auto word = wordAt(words, at);
  auto small = indexIn(SMALL, word);
  auto century = word == "twenty" ? 20 : small.value_or(0);
  if (century < 13 || century > 20) return std::nullopt;
  auto unit = indexIn(SMALL, wordAt(words, at + 2));
  if (wordAt(words, at + 1) == "oh" && unit && *unit >= 1 && *unit <= 9) {
    return Cardinal{century * 100 + *unit, 3};
  }
  auto years = belowHundred(words, at + 1);
  if (!years || years->value < 10 || wordAt(words, at + 1 + years->words) == "hundred") {
    return std::nullopt;
  }
  return Cardinal{century * 100 + years->value, 1 + years->words};
}

// "fifth", "twenty fifth".
std::optional<Cardinal> readOrdinal(const Words& words, size_t at) {
  if (auto small = indexIn(ORDINALS, wordAt(words, at))) return Cardinal{*small, 1};
  if (wordAt(words, at) == "thirtieth") return Cardinal{30, 1};
  auto tens = indexIn(TENS, wordAt(words, at));
  auto unit = indexIn(ORDINALS, wordAt(words, at + 1));
  if (!tens || !unit || *unit < 1 || *unit > 9) return std::nullopt;
  return Cardinal{(*tens + 2) * 10 + *unit, 2};
}

std::string ordinalDigits(uint64_t value) {
  constexpr std::string_view SUFFIX[] = {"th", "st", "nd", "rd"};
  auto last = value / 10 % 10 == 1 ? 0 : value % 10;
  return std::to_string(value) + std::string(SUFFIX[last <= 3 ? last : 0]);
}

std::string digits(uint64_t value) {
  if (value >= MILLION && value % MILLION == 0) {
    bool billions = value % BILLION == 0;
    return std::to_string(value / (billions ? BILLION : MILLION)) +
        (billions ? " billion" : " million");
  }
  auto text = std::to_string(value);
  if (value < DIGIT_GROUPS_FROM) return text;
  for (auto at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

size_t spelledDigits(const Words& words, size_t at) {
  size_t count = 0;
  for (auto digit = indexIn(SMALL, wordAt(words, at)); digit && *digit <= 9;
      digit = indexIn(SMALL, wordAt(words, at + count))) {
    count++;
  }
  return count;
}

// Reads one kind of number at words[at] after another; gives how many words it took, zero when
// there was none to write as digits.
class Writer final {
 public:
  explicit Writer(const Words& words): words(words) {}

  Words write() {
    for (size_t at = 0; at < words.size();) {
      auto taken = date(at);
      if (!taken) taken = ordinal(at);
      if (!taken) taken = spelled(at);
      if (!taken) taken = decimal(at);
      if (!taken) taken = time(at);
      if (!taken) taken = year(at);
      if (!taken) taken = cardinal(at);
      if (!taken) out.push_back(words[at]);
      at += std::max<size_t>(taken, 1);
    }
    return std::move(out);
  }

 private:
  const Words& words;
  Words out;

  size_t date(size_t at) {
    if (!isMonth(words[at])) return 0;
    auto day = readOrdinal(words, at + 1);
    if (!day) day = belowHundred(words, at + 1);
    if (!day || day->value < 1 || day->value > 31) return 0;
    out.push_back(words[at]);
    out.push_back(std::to_string(day->value));
    return 1 + day->words;
  }

  size_t ordinal(size_t at) {
    auto number = readOrdinal(words, at);
    if (!number) return 0;
    auto behind = at + number->words;
    bool ofMonth = wordAt(words, behind) == "of" && contains(MONTHS, wordAt(words, behind + 1));
    if (number->value <= STAYS_A_WORD_MAX && !ofMonth) return 0;
    out.push_back(ordinalDigits(number->value));
    return number->words;
  }

  size_t spelled(size_t at) {
    auto count = spelledDigits(words, at);
    if (count < SPELLED_DIGITS_MIN) return 0;
    std::string text;
    for (size_t i = 0; i < count; i++) text += std::to_string(*indexIn(SMALL, words[at + i]));
    out.push_back(text);
    return count;
  }

  size_t decimal(size_t at) {
    auto whole = readCardinal(words, at);
    if (!whole || wordAt(words, at + whole->words) != "point") return 0;
    auto behind = at + whole->words + 1;
    auto count = spelledDigits(words, behind);
    if (count == 0) return 0;
    auto text = digits(whole->value) + ".";
    for (size_t i = 0; i < count; i++) text += std::to_string(*indexIn(SMALL, words[behind + i]));
    return finish(text, behind + count) - at;
  }

  size_t time(size_t at) {
    if (at == 0 || words[at - 1] != "at") return 0;
    auto hour = indexIn(SMALL, words[at]);
    auto minute = belowHundred(words, at + 1);
    if (!hour || *hour < 1 || *hour > 12 || !minute || minute->value < 10 || minute->value > 59) {
      return 0;
    }
    out.push_back(std::to_string(*hour) + ":" + std::to_string(minute->value));
    return 1 + minute->words;
  }

  size_t year(size_t at) {
    auto number = readYear(words, at);
    if (!number) return 0;
    out.push_back(std::to_string(number->value));
    return number->words;
  }

  size_t cardinal(size_t at) {
    auto number = readCardinal(words, at);
    if (!number) return 0;
    auto behind = at + number->words;
    if (number->value <= STAYS_A_WORD_MAX && !contains(UNITS, wordAt(words, behind))) return 0;
    return finish(digits(number->value), behind) - at;
  }

  // Gives where reading goes on: behind a "percent" that has become a sign.
  size_t finish(std::string text, size_t behind) {
    bool percent = wordAt(words, behind) == "percent";
    out.push_back(percent ? text + "%" : std::move(text));
    return behind + (percent ? 1 : 0);
  }
};

}  // namespace

bool isMonth(const std::string& word) { return contains(MONTHS, word); }

bool isNumberWord(const std::string& word) {
  return contains(SMALL, word) || contains(TENS, word) || word == "hundred" || word == "thousand" ||
      word == "million" || word == "billion";
}

std::optional<Cardinal> readCardinal(const Words& words, size_t at) {
  auto number = belowThousand(words, at);
  if (!number) return std::nullopt;
  Cardinal all;
  uint64_t below = BILLION * THOUSAND;
  while (number) {
    auto name = wordAt(words, at + all.words + number->words);
    auto scale = name == "thousand" ? THOUSAND
        : name == "million"         ? MILLION
        : name == "billion"         ? BILLION
                                    : 1;
    if (number->value == 0 && all.words > 0) break;
    if (scale >= below) break;
    add(all, Cardinal{number->value * scale, number->words + (scale > 1 ? 1 : 0)});
    below = scale;
    if (scale == 1) break;
    number = belowThousand(words, at + all.words);
    if (!number) {
      add(all, rest(words, at + all.words));
      break;
    }
  }
  return all;
}

Words withDigits(const Words& words) { return Writer(words).write(); }

}  // namespace hearth::format
