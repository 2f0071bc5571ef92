#pragma once
// What the modelled plugins compute, without time: a frame goes in, outputs come out. All decisions
// between two cuts depend on the frames since the cut, as with real plugins.

#include "router/engine/engine.h"

namespace hearth::sim {

class ModelTask {
 public:
  struct Step {
    std::vector<engine::Engine::Output> outputs;  // seq is filled in by the engine
    double units = 0;                             // of work that they cost
  };
  virtual Step take(const engine::EngineFrame& frame) = 0;
  virtual ~ModelTask() noexcept(false) = default;

  // "audio.vad", "audio.transcribe" or "text.format"; none for another name.
  static kj::Maybe<kj::Own<ModelTask>> make(const std::string& task);
};

}  // namespace hearth::sim
