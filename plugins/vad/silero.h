#pragma once
// The Silero voice activity model (v6, MIT) on ONNX Runtime, one thread. The library is opened with
// dlopen, so that nothing binds to one version of it.

#include "plugins/vad/segmenter.h"

#include <memory>
#include <string>

namespace hearth::vad {

// The session: loaded once, then shared by the instances of this process, one at a time.
class Silero final: public SpeechModel {
 public:
  // Throws std::runtime_error or Ort::Exception when the library or the model cannot be used.
  Silero(const std::string& libraryPath, const std::string& modelPath);
  ~Silero() override;

  void reset() override;
  float probability(std::span<const int16_t, WINDOW> samples) override;

 private:
  struct Runtime;
  std::unique_ptr<Runtime> runtime;
};

}  // namespace hearth::vad
