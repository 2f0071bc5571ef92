#pragma once
// What plugin.toml says: the readable side of a bundle (docs/PLUGINS.md has the format). It travels
// inside the bundle as the data file `plugin.toml`, so it is measured and signed like the rest.

#include "router/engine/bundle/manifest.h"

namespace hearth::engine {

struct TaskPort {
  std::string name;
  std::string type;  // audio/pcm, image, text, event, tensor, embedding, blob

  bool operator==(const TaskPort&) const = default;
};

// One run whose duration says what the task costs on a device.
struct Calibration {
  std::string input;        // a data file of the bundle, fed to input port 0
  double units = 0;         // how much work that is: seconds of audio, pages, characters ...
  std::string unit;         // what a unit is called, for people
  uint32_t frameBytes = 0;  // the input is cut into frames of so many bytes; 0: one frame a line
  uint64_t frameUs = 0;     // media time of one frame
  bool segmentEnd = false;  // the last frame carries SEGMENT_END
  std::string params = "{}";

  bool operator==(const Calibration&) const = default;
};

struct PluginTask {
  static constexpr size_t INPUTS_MAX = 8;

  std::string name;
  std::vector<TaskPort> inputs;   // 1..INPUTS_MAX
  std::vector<TaskPort> outputs;  // exactly one in ABI 1
  kj::Maybe<Calibration> calibration;
};

struct Description {
  static constexpr size_t TEXT_BYTES_MAX = 256 << 10;
  static constexpr size_t TASKS_MAX = 16;
  static constexpr kj::StringPtr FILE_NAME = "plugin.toml"_kj;

  // All of the manifest but sizes and digests of its files; plugin.toml itself is its last file.
  Manifest manifest;
  std::vector<PluginTask> tasks;  // 1..TASKS_MAX

  kj::Maybe<const PluginTask&> task(kj::StringPtr name) const;
};

// Errors: BAD_FORMAT, BAD_VERSION (another ABI), LIMIT_EXCEEDED, POLICY_DENIED (a capability that
// nobody can grant). `because` names the entry.
Result<Description> describe(kj::StringPtr toml);

}  // namespace hearth::engine
