#pragma once
// Speech in a world: recordings whose words are numbers, so that what comes out can be compared with
// what went in, word by word. A word is 300 ms of one sample value, a pause is silence. The modelled
// engines understand it (modelled-engine.h).

#include "devices/sensors/wav.h"

#include <string>
#include <vector>

namespace hearth::sim {

struct Speech {
  static constexpr size_t FRAME_SAMPLES = devices::Recording::RATE / 50;
  static constexpr size_t WORD_FRAMES = 15;
  static constexpr size_t PAUSE_FRAMES = 30;
  static constexpr size_t SENTENCE_WORDS_MAX = 20;
  static constexpr uint32_t DICTATION_WORDS_MAX = 2'000;
  static constexpr int16_t WORDS_MAX = 30'000;

  // `words` words from number `first` on, in sentences of `sentenceWords`.
  static devices::Recording say(uint32_t first, uint32_t words, uint32_t sentenceWords);

  static std::string word(int16_t sample);
};

// Words in texts as they arrive.
std::vector<std::string> wordsOf(const std::string& text);

}  // namespace hearth::sim
