#include "router/place/plan.h"

#include <kj/debug.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace hearth::router {

namespace {

constexpr double AUDIO_BYTES_PER_S = 32'000;  // 16 kHz, 16 bits, one channel

struct Option {
  const DeviceFacts* device;
  const PluginFacts* plugin;  // null for a source or a sink
};

double unitsOf(const Stage& stage) {
  return stage.task.starts_with("audio.") ? NOMINAL_AUDIO_S : NOMINAL_CHARACTERS;
}

double outputBytesOf(const Stage& stage) {
  auto output = shapeOf(stage.kind, stage.task).map([](auto& s) { return s.output; }).orDefault("");
  return output == "audio/pcm" ? NOMINAL_AUDIO_S * AUDIO_BYTES_PER_S : NOMINAL_CHARACTERS;
}

double jouleWorthS(const DeviceFacts& device) {
  if (device.onMains()) return JOULE_S_MAINS;
  return device.battery < BATTERY_LOW ? JOULE_S_BATTERY_LOW : JOULE_S_BATTERY;
}

class Search final {
 public:
  explicit Search(const PlanInput& input): input(input), stages(input.workload.stages) {
    options.resize(stages.size());
    chosen.resize(stages.size());
    finish.resize(stages.size());
  }

  std::expected<Plan, PlanRefusal> run() {
    for (size_t stage = 0; stage < stages.size(); ++stage) {
      collectOptions(stage);
      if (options[stage].empty()) return std::unexpected(PlanRefusal{stage, refusalOf(stage)});
    }
    descend(0, 0, 0);
    if (best.empty()) {
      return std::unexpected(PlanRefusal{
          0, stages[0].name + ": no device has memory enough for the stages that only it can do"});
    }
    return explained();
  }

 private:
  const PlanInput& input;
  const std::vector<Stage>& stages;
  std::vector<std::vector<Option>> options;  // by stage
  std::vector<Option> chosen, best;
  std::vector<double> finish;
  double bestCost = std::numeric_limits<double>::infinity();
  size_t steps = 0;

  bool isPinned(size_t stage, const DeviceFacts& device) const {
    if (stages[stage].kind == StageKind::SOURCE) return device.id == input.source;
    if (stages[stage].kind == StageKind::SINK) return device.id == input.sink;
    auto kept = input.keep.find(stage);
    return kept == input.keep.end() || kept->second == device.id;
  }

  bool hasSensor(const DeviceFacts& device, const Stage& stage) const {
    return input.sourceIsRecording ||
        std::ranges::find(device.sensors, stage.task) != device.sensors.end();
  }

  const PluginFacts* pluginFor(const DeviceFacts& device, const Stage& stage) const {
    const PluginFacts* fastest = nullptr;
    auto time = [&](const PluginFacts& p) { return p.fixedS + p.perUnitS * unitsOf(stage); };
    for (auto& plugin: device.plugins) {
      bool fits = plugin.task == stage.task &&
          (device.memoryBytes == 0 || plugin.memoryBytes <= device.memoryBytes);
      if (fits && (fastest == nullptr || time(plugin) < time(*fastest))) fastest = &plugin;
    }
    return fastest;
  }

  void collectOptions(size_t index) {
    auto& stage = stages[index];
    for (auto& device: input.devices) {
      if (!isPinned(index, device) || input.excluded.contains({index, device.id})) continue;
      if (stage.kind == StageKind::SOURCE && !hasSensor(device, stage)) continue;
      auto plugin = stage.kind == StageKind::PLUGIN ? pluginFor(device, stage) : nullptr;
      if (stage.kind == StageKind::PLUGIN && plugin == nullptr) continue;
      options[index].push_back({&device, plugin});
    }
    // Cheap ones first: good plans early make the bound bite.
    std::ranges::sort(options[index], {}, [&](const Option& option) {
      return std::pair(runS(index, option) + energyWorth(index, option), option.device->id);
    });
  }

  std::string refusalOf(size_t index) const {
    auto& stage = stages[index];
    if (stage.kind == StageKind::SOURCE)
      return stage.name + ": the device has no " + stage.task + ", or cannot be reached";
    if (stage.kind == StageKind::SINK)
      return stage.name + ": the device of the sink cannot be reached";
    return stage.name + ": no device that can be reached has a plugin for " + stage.task;
  }

  double runS(size_t index, const Option& option) const {
    if (option.plugin == nullptr) return 0;
    return option.plugin->fixedS + option.plugin->perUnitS * unitsOf(stages[index]);
  }

  double energyWorth(size_t index, const Option& option) const {
    return runS(index, option) * option.device->activeW * jouleWorthS(*option.device);
  }

  LinkFacts linkOf(const DeviceFacts& from, const DeviceFacts& to) const {
    auto found = input.links.find({from.id, to.id});
    return found == input.links.end() ? LINK_UNMEASURED : found->second;
  }

  // When a stage's inputs are there, and what moving them costs.
  std::pair<double, double> arrival(size_t index, const Option& option) const {
    double ready = 0, energy = 0;
    for (auto producer: stages[index].inputs) {
      auto& from = *chosen[producer].device;
      double at = finish[producer];
      if (&from != option.device) {
        auto link = linkOf(from, *option.device);
        auto bytes = outputBytesOf(stages[producer]);
        at += link.latencyS + bytes / link.bandwidthBps;
        energy += bytes *
            (from.txJPerByte * jouleWorthS(from) +
                option.device->rxJPerByte * jouleWorthS(*option.device));
      }
      ready = std::max(ready, at);
    }
    return {ready, energy};
  }

  // Memory of the plugins on one device, each counted once.
  bool fits(size_t index, const Option& option) const {
    if (option.plugin == nullptr || option.device->memoryBytes == 0) return true;
    std::map<Digest, uint64_t> used = {{option.plugin->measurement, option.plugin->memoryBytes}};
    for (size_t i = 0; i < index; ++i) {
      if (chosen[i].device == option.device && chosen[i].plugin != nullptr)
        used[chosen[i].plugin->measurement] = chosen[i].plugin->memoryBytes;
    }
    uint64_t total = 0;
    for (auto& entry: used) total += entry.second;
    return total <= option.device->memoryBytes;
  }

  // Time and energy only grow on the way down, so what they come to already bounds the rest.
  void descend(size_t index, double latest, double energy) {
    if (latest + energy >= bestCost || ++steps > PLAN_STEPS_MAX) return;
    if (index == stages.size()) {
      best = chosen;
      bestCost = latest + energy;
      return;
    }
    for (auto& option: options[index]) {
      if (!fits(index, option)) continue;
      auto [ready, moving] = arrival(index, option);
      chosen[index] = option;
      finish[index] =
          ready + option.device->queueS * (option.plugin != nullptr) + runS(index, option);
      descend(
          index + 1, std::max(latest, finish[index]), energy + moving + energyWorth(index, option));
    }
  }

  // Cost of the best plan with one stage elsewhere, the others staying where they are.
  struct Alternative {
    double timeS, energyS;
  };
  Alternative costWith(size_t changed, const Option& option) {
    double latest = 0, energy = 0;
    for (size_t i = 0; i < stages.size(); ++i) {
      chosen[i] = i == changed ? option : best[i];
      auto [ready, moving] = arrival(i, chosen[i]);
      finish[i] =
          ready + chosen[i].device->queueS * (chosen[i].plugin != nullptr) + runS(i, chosen[i]);
      latest = std::max(latest, finish[i]);
      energy += moving + energyWorth(i, chosen[i]);
    }
    return {latest, energy};
  }

  Plan explained() {
    Plan plan{.stages = {}, .costS = bestCost};
    for (size_t i = 0; i < stages.size(); ++i) {
      PlannedStage stage{.device = best[i].device->id};
      if (best[i].plugin != nullptr) {
        stage.plugin = best[i].plugin->measurement;
        stage.pluginName = best[i].plugin->name + " " + best[i].plugin->version;
      }
      for (auto& device: input.devices) stage.candidates.push_back(verdictOn(i, device));
      auto chosenFirst =
          std::ranges::find(stage.candidates, true, &PlannedStage::Candidate::chosen);
      std::rotate(stage.candidates.begin(), chosenFirst, chosenFirst + 1);
      plan.stages.push_back(kj::mv(stage));
    }
    return plan;
  }

  PlannedStage::Candidate verdictOn(size_t index, const DeviceFacts& device) {
    PlannedStage::Candidate candidate{.device = device.id};
    auto option = std::ranges::find(options[index], &device, &Option::device);
    candidate.chosen = best[index].device == &device;
    if (candidate.chosen) {
      candidate.reason = reasonFor(index);
    } else if (option == options[index].end()) {
      candidate.reason = whyNotAtAll(index, device);
    } else {
      candidate.reason = comparison(index, *option);
    }
    return candidate;
  }

  std::string reasonFor(size_t index) const {
    auto& stage = stages[index];
    if (stage.kind == StageKind::SOURCE) return "the source is here";
    if (stage.kind == StageKind::SINK) return "the text is wanted here";
    if (input.keep.contains(index)) return "it runs here already";
    if (options[index].size() == 1) return "the only device that can do it";
    return "least time and energy together";
  }

  std::string whyNotAtAll(size_t index, const DeviceFacts& device) const {
    auto& stage = stages[index];
    if (stage.kind == StageKind::SOURCE) return "not the source";
    if (stage.kind == StageKind::SINK) return "not where the text is wanted";
    if (input.excluded.contains({index, device.id})) return "it has failed there";
    if (pluginFor(device, stage) == nullptr) return "no plugin for " + stage.task;
    return "the stage stays where it runs";
  }

  std::string comparison(size_t index, const Option& option) {
    auto there = costWith(index, option);
    auto here = costWith(index, best[index]);
    auto laterS = there.timeS - here.timeS;
    auto joules = energyOf(index, option) - energyOf(index, best[index]);
    char text[96];
    snprintf(text, sizeof(text), "%.2f s %s and %.0f J %s for %.0f s of work", std::abs(laterS),
        laterS < 0 ? "sooner" : "later", std::abs(joules), joules < 0 ? "less" : "more",
        NOMINAL_AUDIO_S);
    return text;
  }

  double energyOf(size_t index, const Option& option) const {
    return runS(index, option) * option.device->activeW;
  }
};

}  // namespace

std::expected<Plan, PlanRefusal> plan(const PlanInput& input) { return Search(input).run(); }

}  // namespace hearth::router
