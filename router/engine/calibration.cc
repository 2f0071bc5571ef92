#include "router/engine/calibration.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::engine {

namespace {

double secondsOf(kj::Duration duration) {
  return static_cast<double>(duration / kj::NANOSECONDS) / 1e9;
}

const CalibrationRun& fastest(kj::ArrayPtr<const CalibrationRun> runs, double units) {
  const CalibrationRun* best = nullptr;
  for (auto& run: runs) {
    if (run.units == units && (best == nullptr || run.cpuS < best->cpuS)) best = &run;
  }
  return *best;
}

double spreadOf(kj::ArrayPtr<const CalibrationRun> runs, const CalibrationRun& best) {
  double slowest = best.cpuS;
  for (auto& run: runs) {
    if (run.units == best.units) slowest = std::max(slowest, run.cpuS);
  }
  return best.cpuS > 0 ? (slowest - best.cpuS) / best.cpuS : 0;
}

kj::Promise<Result<void>> writeAll(Engine& engine, std::vector<EngineFrame>& frames) {
  for (auto& frame: frames) {
    if (auto written = co_await engine.write(kj::mv(frame)); !written)
      co_return no(written.error());
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> readToEnd(Engine& engine) {
  while (true) {
    auto output = co_await engine.read();
    if (!output) co_return no(output.error());
    if (output->frame.flags & ENGINE_FLAG_END) co_return Result<void>();
  }
}

std::vector<kj::ArrayPtr<const kj::byte>> lines(kj::ArrayPtr<const kj::byte> bytes) {
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
  while (bytes.size() > 0) {
    auto end = std::find(bytes.begin(), bytes.end(), '\n');
    auto size = static_cast<size_t>(end - bytes.begin());
    pieces.push_back(bytes.slice(0, size));
    bytes = bytes.slice(std::min(size + 1, bytes.size()), bytes.size());
  }
  return pieces;
}

std::vector<kj::ArrayPtr<const kj::byte>> pieces(
    kj::ArrayPtr<const kj::byte> bytes, size_t frameBytes) {
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
  for (size_t at = 0; at < bytes.size(); at += frameBytes) {
    pieces.push_back(bytes.slice(at, std::min(at + frameBytes, bytes.size())));
  }
  return pieces;
}

}  // namespace

TaskCost fitCost(kj::ArrayPtr<const CalibrationRun> runs) {
  KJ_REQUIRE(runs.size() > 0);
  double least = runs[0].units, most = runs[0].units;
  for (auto& run: runs) least = std::min(least, run.units), most = std::max(most, run.units);
  KJ_REQUIRE(least > 0);
  auto& large = fastest(runs, most);
  auto& small = fastest(runs, least);
  TaskCost cost;
  cost.perUnitS = most > least ? (large.cpuS - small.cpuS) / (most - least) : large.cpuS / most;
  // Noise must not make work free, or its beginning negative.
  if (cost.perUnitS <= 0) cost.perUnitS = large.cpuS / most;
  cost.fixedS = std::max(0.0, large.cpuS - cost.perUnitS * most);
  cost.spread = spreadOf(runs, large);
  cost.wallRatio = large.cpuS > 0 ? std::max(1.0, large.wallS / large.cpuS) : 1;
  return cost;
}

CalibrationInput calibrationInput(
    const Calibration& calibration, kj::ArrayPtr<const kj::byte> bytes, double share) {
  auto all = calibration.frameBytes > 0 ? pieces(bytes, calibration.frameBytes) : lines(bytes);
  auto count = std::min(all.size(),
      std::max<size_t>(1, static_cast<size_t>(static_cast<double>(all.size()) * share)));
  CalibrationInput input;
  uint64_t pts = 0;
  for (size_t i = 0; i < count; ++i) {
    pts += calibration.frameUs;
    bool last = i + 1 == count && calibration.segmentEnd;
    input.frames.push_back({.flags = last ? uint8_t{ENGINE_FLAG_SEGMENT_END} : uint8_t{0},
        .seq = i + 1,
        .ptsUs = pts,
        .payload = kj::heapArray(all[i])});
  }
  input.frames.push_back({.flags = ENGINE_FLAG_END, .seq = count + 1, .ptsUs = pts});
  input.units = all.empty()
      ? calibration.units
      : calibration.units * static_cast<double>(count) / static_cast<double>(all.size());
  return input;
}

kj::Promise<Result<TaskCost>> Calibrator::run(
    Engine& engine, const Bundle& bundle, kj::StringPtr taskName) {
  KJ_IF_MAYBE(task, bundle.description().task(taskName)) {
    KJ_IF_MAYBE(calibration, task->calibration) {
      auto& files = bundle.manifest().files;
      auto file = std::ranges::find(files, calibration->input, &BundleFile::path);
      if (file == files.end() || task->inputs.size() != 1) {
        co_return no(Errc::BAD_FORMAT, "the calibration's input is not in the bundle");
      }
      if (file->size > INPUT_BYTES_MAX) {
        co_return no(Errc::LIMIT_EXCEEDED, "the calibration's input is too long");
      }
      auto bytes = bundle.read(*file);
      if (!bytes) co_return no(bytes.error());

      kj::Vector<CalibrationRun> runs;
      auto until = timer.now() + TIME_MAX;
      for (int i = 0; i < RUNS_MAX && (i == 0 || timer.now() < until); ++i) {
        for (double share: {0.5, 1.0}) {
          auto one = co_await runOnce(engine, *task, calibrationInput(*calibration, *bytes, share));
          if (!one) co_return no(one.error());
          runs.add(*one);
        }
      }
      auto cost = fitCost(runs);
      cost.unit = calibration->unit;
      co_return kj::mv(cost);
    }
  }
  co_return no(Errc::POLICY_DENIED, "the plugin declares no calibration for this task");
}

kj::Promise<Result<CalibrationRun>> Calibrator::runOnce(
    Engine& engine, const PluginTask& task, CalibrationInput input) {
  KJ_IF_MAYBE(calibration, task.calibration) {
    auto opened = co_await engine.open({.task = task.name, .params = calibration->params});
    auto cpuBefore = engine.cpuTime();
    auto wallBefore = timer.now();
    auto how = opened;
    if (opened) {
      auto writing = writeAll(engine, input.frames).eagerlyEvaluate(nullptr);
      how = co_await readToEnd(engine);
      // A plugin that has failed takes nothing more; its error is the one that counts.
      if (how) how = co_await writing;
    }
    CalibrationRun run{
        input.units, secondsOf(engine.cpuTime() - cpuBefore), secondsOf(timer.now() - wallBefore)};
    auto closed = co_await engine.close();
    if (!how) co_return no(how.error());
    if (!closed) co_return no(closed.error());
    co_return run;
  }
  KJ_FAIL_REQUIRE("a task without calibration");
}

}  // namespace hearth::engine
