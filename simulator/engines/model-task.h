#pragma once
// What the modelled plugins compute, without time: a frame goes in, outputs come out. All decisions
// between two cuts depend on the state at the cut and on the frames since, as with real plugins.

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

  // "audio.vad", "audio.transcribe" or "text.format"; none for another name. It goes on with frame
  // `next` from the state of a cut: what it makes is spoiled where that is not the one from before.
  static kj::Maybe<kj::Own<ModelTask>> make(
      const std::string& task, uint64_t next, const std::vector<kj::byte>& state);
};

}  // namespace hearth::sim
