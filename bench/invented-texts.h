#pragma once
// Texts in a language that nobody speaks, whose words are as frequent as those of any other: the n-th of them 1/n as often
// as the first (Zipf's law).

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace hearth::bench {

class InventedTexts final {
 public:
  static constexpr size_t WORDS = 50'000;

  explicit InventedTexts(uint64_t seed);

  // The most frequent first.
  const std::vector<std::string>& words() const { return all; }
  size_t draw();  // a word's number, as often as it is spoken
  std::vector<size_t> text(size_t words);
  std::string written(const std::vector<size_t>& text) const;
  uint32_t below(uint32_t end);

 private:
  std::mt19937_64 random;
  std::vector<std::string> all;
  std::vector<double> upTo;
};

}  // namespace hearth::bench
