#pragma once
// English numbers in words, written as digits where a careful typist would do so: from eleven on,
// with units, in dates, years and times, after a decimal point. Up to ten they stay words.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::format {

using Words = std::vector<std::string>;  // lower case

bool isNumberWord(const std::string& word);

// True for "january" to "december".
bool isMonth(const std::string& word);

struct Cardinal {
  uint64_t value = 0;
  size_t words = 0;  // how many were read

  bool operator==(const Cardinal&) const = default;
};

// The longest number that begins at words[at], below 10^12. None where no number begins; a
// "hundred" or "thousand" without one before it is a word ("a hundred times").
std::optional<Cardinal> readCardinal(const Words& words, size_t at);

// All numbers of a sentence.
Words withDigits(const Words& words);

}  // namespace hearth::format
