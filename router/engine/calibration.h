#pragma once
// What a task costs on this device: fixedS + perUnitS x units seconds of CPU, learned by running the
// calibration input of plugin.toml whole and in half. CPU time and not wall time, since what else
// the machine does meanwhile is not the plugin's cost.

#include "router/engine/engine.h"

#include <kj/timer.h>

namespace hearth::engine {

struct TaskCost {
  double fixedS = 0;     // CPU seconds of any job
  double perUnitS = 0;   // CPU seconds of one unit more
  double spread = 0;     // (slowest - fastest) / fastest over the runs
  double wallRatio = 1;  // wall time / CPU time of the fastest run
  std::string unit;      // what a unit is called

  bool operator==(const TaskCost&) const = default;
};

// One measured run.
struct CalibrationRun {
  double units;
  double cpuS;
  double wallS;
};

// The line through the fastest run of each size; through the origin when there is one size only.
// Requires at least one run, with units above 0.
TaskCost fitCost(kj::ArrayPtr<const CalibrationRun> runs);

// The input as frames, END last. `share` of the frames are taken, at least one; gives how many units
// of work they are.
struct CalibrationInput {
  std::vector<EngineFrame> frames;
  double units = 0;
};
CalibrationInput calibrationInput(
    const Calibration& calibration, kj::ArrayPtr<const kj::byte> bytes, double share);

class Calibrator final {
 public:
  static constexpr int RUNS_MAX = 3;  // of each size
  // After this no further run is begun; one of each size is made in any case.
  static constexpr kj::Duration TIME_MAX = 8 * kj::SECONDS;
  static constexpr size_t INPUT_BYTES_MAX = 64 << 20;

  explicit Calibrator(kj::Timer& timer): timer(timer) {}

  // `engine` is idle, of `bundle`, and idle again afterwards.
  // Errors: POLICY_DENIED when plugin.toml has no calibration for the task, LIMIT_EXCEEDED for an
  // input over INPUT_BYTES_MAX, INTEGRITY_FAILED, and those of the engine.
  kj::Promise<Result<TaskCost>> run(Engine& engine, const Bundle& bundle, kj::StringPtr task);

 private:
  kj::Timer& timer;

  kj::Promise<Result<CalibrationRun>> runOnce(
      Engine& engine, const PluginTask& task, CalibrationInput input);
};

}  // namespace hearth::engine
