#pragma once
// pocketsphinx with its stock English model (CMU, BSD licence), one thread.

#include "plugins/transcribe/transcriber.h"

#include <memory>

namespace hearth::transcribe {

class Sphinx final: public Recogniser {
 public:
  // `modelDir` holds en-us/ (acoustic model), en-us.lm.bin and cmudict-en-us.dict.
  // Throws std::runtime_error when the model cannot be read.
  explicit Sphinx(const std::string& modelDir);
  ~Sphinx() override;

  std::string recognise(std::span<const int16_t> samples) override;

 private:
  struct Decoder;
  std::unique_ptr<Decoder> decoder;
};

}  // namespace hearth::transcribe
