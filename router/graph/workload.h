#pragma once
// A workload: stages with typed ports, joined by edges. A stage names a task, never a device
// (docs/PROTOCOL.md, "Workloads").
//
//   microphone ─audio/pcm─▶ audio.vad ─audio/pcm─▶ audio.transcribe ─text─▶ text.format ─text─▶ text

#include <kj/string.h>

#include <expected>
#include <string>
#include <vector>

namespace hearth::router {

enum class StageKind : uint8_t { SOURCE, PLUGIN, SINK };

struct Stage {
  std::string name;
  StageKind kind = StageKind::PLUGIN;
  std::string task;            // of a plugin; "microphone" of a source, "text" of a sink
  std::string params = "{}";   // a JSON object
  std::vector<size_t> inputs;  // the stages that feed its input ports, in order
};

struct Workload {
  static constexpr size_t STAGES_MAX = 32;
  static constexpr size_t NAME_BYTES_MAX = 64;
  static constexpr size_t TEXT_BYTES_MAX = 256 << 10;

  std::string name;
  std::vector<Stage> stages;  // in topological order
};

// What a task takes and gives; one output port each.
struct TaskShape {
  std::vector<std::string> inputs;
  std::string output;  // empty for a sink
};
kj::Maybe<TaskShape> shapeOf(StageKind kind, const std::string& task);

// One line that names the stage and what is missing.
using WorkloadError = std::string;

// A built-in workload by name ("dictate"), or a workload in TOML.
std::expected<Workload, WorkloadError> parseWorkload(const std::string& nameOrToml);

}  // namespace hearth::router
