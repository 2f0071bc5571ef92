#pragma once
// Raw words of one segment become text as a person would type it: fillers and stutters go, numbers
// become digits, spoken punctuation becomes signs, sentences get their capital and their stop. Rules
// for English, no model; the texts of a stream's segments joined by single spaces read well.

#include <expected>
#include <string>
#include <string_view>

namespace hearth::format {

constexpr size_t TEXT_BYTES_MAX = 64 << 10;

enum class Refusal { NOT_UTF8, TOO_LONG };

struct Segment {
  std::string_view words;   // UTF-8, separated by white space
  bool continues = false;   // begins in mid-sentence: no capital
  bool unfinished = false;  // ends in mid-sentence: no stop
};

// Empty when no word is left. Errors: NOT_UTF8, TOO_LONG (more than TEXT_BYTES_MAX).
std::expected<std::string, Refusal> format(const Segment& segment);

}  // namespace hearth::format
