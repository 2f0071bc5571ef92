#include "simulator/engines/speech.h"

#include <kj/debug.h>

#include <sstream>

namespace hearth::sim {

devices::Recording Speech::say(uint32_t first, uint32_t words, uint32_t sentenceWords) {
  KJ_REQUIRE(sentenceWords >= 1 && sentenceWords <= SENTENCE_WORDS_MAX, "a sentence of so many");
  std::vector<int16_t> samples;
  auto add = [&](size_t frames, int16_t value) {
    samples.insert(samples.end(), frames * FRAME_SAMPLES, value);
  };
  add(PAUSE_FRAMES, 0);
  for (uint32_t i = 0; i < words; ++i) {
    add(WORD_FRAMES, static_cast<int16_t>(1 + (first + i) % WORDS_MAX));
    if ((i + 1) % sentenceWords == 0 || i + 1 == words) add(PAUSE_FRAMES, 0);
  }
  return {kj::heapArray<const int16_t>(samples.data(), samples.size())};
}

std::string Speech::word(int16_t sample) { return "w" + std::to_string(sample - 1); }

std::vector<std::string> wordsOf(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

}  // namespace hearth::sim
