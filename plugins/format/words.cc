#include "plugins/format/words.h"

#include <algorithm>
#include <array>

namespace hearth::format {

namespace {

template <size_t N>
bool contains(const std::string_view (&list)[N], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

bool isFiller(std::string_view word) {
  static constexpr std::string_view LIST[] = {
      "um", "umm", "uh", "uhm", "er", "erm", "hm", "hmm", "mhm"};
  return contains(LIST, word);
}

bool mayRepeat(std::string_view word) {
  static constexpr std::string_view LIST[] = {"very", "really", "had", "that", "no", "yes", "so",
      "bye", "ha", "many", "much", "long", "far", "never", "please"};
  return contains(LIST, word);
}

bool isSubject(std::string_view word) {
  static constexpr std::string_view LIST[] = {"i", "you", "he", "she", "it", "we", "they", "there",
      "anyone", "anybody", "anything", "someone", "somebody", "everyone", "everybody"};
  return contains(LIST, word);
}

bool isDeterminer(std::string_view word) {
  static constexpr std::string_view LIST[] = {"the", "a", "an", "my", "your", "his", "her", "its",
      "our", "their", "this", "that", "these", "those", "any", "all"};
  return contains(LIST, word);
}

bool isConjunction(std::string_view word) {
  static constexpr std::string_view LIST[] = {"and", "but", "so", "or", "because", "well", "like"};
  return contains(LIST, word);
}

bool isAuxiliary(std::string_view word) {
  static constexpr std::string_view LIST[] = {"is", "are", "was", "were", "am", "do", "does", "did",
      "can", "could", "will", "would", "shall", "should", "has", "have", "had", "may", "might",
      "must", "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "can't",
      "couldn't", "won't", "wouldn't", "shouldn't", "hasn't", "haven't"};
  return contains(LIST, word);
}

bool isAskedAmount(std::string_view word) {
  static constexpr std::string_view LIST[] = {"many", "much", "long", "far", "old", "often", "soon",
      "big", "high", "fast", "about", "come"};
  return contains(LIST, word);
}

bool isProperNoun(std::string_view word) {
  static constexpr std::string_view LIST[] = {"monday", "tuesday", "wednesday", "thursday",
      "friday", "saturday", "sunday", "january", "february", "april", "june", "july", "august",
      "september", "october", "november", "december", "christmas", "easter", "america", "american",
      "americans", "english", "british", "french", "german", "european", "europe"};
  return contains(LIST, word);
}

bool isMonthContext(std::string_view before) {
  static constexpr std::string_view LIST[] = {
      "in", "of", "last", "next", "since", "until", "by", "early", "late", "during"};
  return contains(LIST, before);
}

}  // namespace hearth::format
