#include "bench/invented-texts.h"

#include <algorithm>
#include <set>

namespace hearth::bench {

InventedTexts::InventedTexts(uint64_t seed): random(seed) {
  constexpr std::string_view FIRST = "bcdfghjklmnprstvwz", SECOND = "aeiou";
  std::set<std::string> known;
  double sum = 0;
  for (size_t i = 0; i < WORDS; ++i) {
    std::string word;
    // Frequent words are short.
    auto syllables = 1 + (i > 60) + (i > 4'000) + below(2);
    do {
      word.clear();
      for (size_t k = 0; k < syllables + (known.size() < i ? 1 : 0); ++k) {
        word += FIRST[below(FIRST.size())];
        word += SECOND[below(SECOND.size())];
        if (below(3) == 0) word += FIRST[below(FIRST.size())];
      }
      if (known.contains(word)) ++syllables;
    } while (!known.insert(word).second);
    all.push_back(word);
    upTo.push_back(sum += 1.0 / static_cast<double>(i + 1));
  }
}

uint32_t InventedTexts::below(uint32_t end) {
  return static_cast<uint32_t>((random() >> 32) * end >> 32);
}

size_t InventedTexts::draw() {
  auto at = static_cast<double>(random() >> 11) * 0x1p-53 * upTo.back();
  return static_cast<size_t>(std::ranges::upper_bound(upTo, at) - upTo.begin()) % WORDS;
}

std::vector<size_t> InventedTexts::text(size_t words) {
  std::vector<size_t> text(words);
  for (auto& word: text) word = draw();
  return text;
}

std::string InventedTexts::written(const std::vector<size_t>& text) const {
  std::string written;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > 0) written += i % 11 == 0 ? ". " : " ";
    written += all[text[i]];
  }
  return written;
}

}  // namespace hearth::bench
