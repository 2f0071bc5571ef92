#include "router/graph/workload.h"

#include "router/graph/toml.h"

#include <kj/common.h>

#include <algorithm>
#include <map>

namespace hearth::router {

namespace {

constexpr const char* DICTATE = R"(
name = "dictate"
[[stage]]
name = "mic"
source = "microphone"
[[stage]]
name = "vad"
task = "audio.vad"
from = "mic"
[[stage]]
name = "transcribe"
task = "audio.transcribe"
from = "vad"
[[stage]]
name = "format"
task = "text.format"
from = "transcribe"
[[stage]]
name = "text"
sink = "text"
from = "format"
)";

using Names = std::vector<std::string>;

struct Draft {
  Stage stage;
  Names from;
};

std::unexpected<WorkloadError> wrong(const std::string& what) { return std::unexpected(what); }

bool isName(const std::string& name) {
  return !name.empty() && name.size() <= Workload::NAME_BYTES_MAX &&
      std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
      });
}

// Exactly one of `task`, `source` and `sink` says what a stage is.
bool readKind(const toml::table& entry, Stage& stage) {
  constexpr std::pair<const char*, StageKind> KINDS[] = {
      {"task", StageKind::PLUGIN}, {"source", StageKind::SOURCE}, {"sink", StageKind::SINK}};
  size_t given = 0;
  for (auto& [key, kind]: KINDS) {
    auto value = entry[key].value<std::string>();
    if (!value) continue;
    ++given;
    stage.kind = kind;
    stage.task = *value;
  }
  return given == 1;
}

Names readFrom(const toml::table& entry) {
  Names names;
  if (auto one = entry["from"].value<std::string>()) return {*one};
  if (auto many = entry["from"].as_array()) {
    for (auto& item: *many) names.push_back(item.value_or(std::string()));
  }
  return names;
}

std::expected<Draft, WorkloadError> readStage(const toml::table& entry) {
  Draft draft;
  draft.stage.name = entry["name"].value_or(std::string());
  if (!isName(draft.stage.name))
    return wrong("a stage has no name of small letters, digits, '.', '-' and '_'");
  if (!readKind(entry, draft.stage))
    return wrong(draft.stage.name + ": needs one of task, source and sink");
  for (auto& [key, value]: entry) {
    constexpr const char* KNOWN[] = {"name", "task", "source", "sink", "from", "params"};
    if (std::ranges::find(KNOWN, key.str()) == std::end(KNOWN))
      return wrong(draft.stage.name + ": '" + std::string(key.str()) + "' is not known");
  }
  draft.stage.params = entry["params"].value_or(std::string("{}"));
  draft.from = readFrom(entry);
  return draft;
}

std::expected<void, WorkloadError> connect(
    Stage& stage, const Names& from, const std::vector<Stage>& placed) {
  auto shape = shapeOf(stage.kind, stage.task);
  if (shape == nullptr) return wrong(stage.name + ": the task '" + stage.task + "' is not known");
  KJ_IF_MAYBE(known, shape) {
    if (from.size() != known->inputs.size()) {
      return wrong(stage.name + ": takes " + std::to_string(known->inputs.size()) +
          " inputs, 'from' names " + std::to_string(from.size()));
    }
    for (size_t port = 0; port < from.size(); ++port) {
      auto producer = std::ranges::find(placed, from[port], &Stage::name);
      auto made = shapeOf(producer->kind, producer->task);
      auto output = made.map([](auto& s) { return s.output; }).orDefault("");
      if (output != known->inputs[port]) {
        return wrong(stage.name + ": takes " + known->inputs[port] + ", but " + from[port] +
            " gives " + (output.empty() ? "nothing" : output));
      }
      stage.inputs.push_back(static_cast<size_t>(producer - placed.begin()));
    }
  }
  return {};
}

// Puts stages behind those that feed them; what cannot be put anywhere is a cycle.
std::expected<std::vector<Stage>, WorkloadError> sortStages(std::vector<Draft> drafts) {
  std::vector<Stage> placed;
  auto isPlaced = [&](const std::string& name) {
    return std::ranges::find(placed, name, &Stage::name) != placed.end();
  };
  while (!drafts.empty()) {
    auto ready = std::ranges::find_if(
        drafts, [&](Draft& draft) { return std::ranges::all_of(draft.from, isPlaced); });
    if (ready == drafts.end())
      return wrong(drafts.front().stage.name + ": its inputs go round in a circle");
    if (auto connected = connect(ready->stage, ready->from, placed); !connected)
      return wrong(connected.error());
    placed.push_back(ready->stage);
    drafts.erase(ready);
  }
  return placed;
}

std::expected<void, WorkloadError> checkNames(const std::vector<Draft>& drafts) {
  for (auto& draft: drafts) {
    auto& name = draft.stage.name;
    if (std::ranges::count(drafts, name, [](auto& d) { return d.stage.name; }) > 1)
      return wrong(name + ": two stages have this name");
    for (auto& from: draft.from) {
      bool known = std::ranges::any_of(drafts, [&](auto& d) { return d.stage.name == from; });
      if (!known) return wrong(name + ": there is no stage '" + from + "' to take from");
    }
  }
  return {};
}

std::expected<void, WorkloadError> checkWhole(const std::vector<Stage>& stages) {
  std::vector<bool> used(stages.size());
  size_t sinks = 0;
  for (auto& stage: stages) {
    for (auto input: stage.inputs) used[input] = true;
    sinks += stage.kind == StageKind::SINK;
  }
  if (sinks != 1) return wrong("a workload has exactly one sink");
  for (size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].kind != StageKind::SINK && !used[i])
      return wrong(stages[i].name + ": nothing takes what it gives");
  }
  return {};
}

std::expected<Workload, WorkloadError> parseToml(const std::string& text) {
  if (text.size() > Workload::TEXT_BYTES_MAX) return wrong("the workload is too long");
  auto parsed = readToml(text);
  if (!parsed) {
    return wrong("line " + std::to_string(parsed.error().source().begin.line) + ": " +
        std::string(parsed.error().description()));
  }
  auto& table = parsed.table();
  Workload workload;
  workload.name = table["name"].value_or(std::string("workload"));
  if (!isName(workload.name)) return wrong("the workload's name is none");
  auto entries = table["stage"].as_array();
  if (entries == nullptr || entries->size() > Workload::STAGES_MAX)
    return wrong("a workload has 1 to 32 [[stage]] entries");
  std::vector<Draft> drafts;
  for (auto& entry: *entries) {
    if (!entry.is_table()) return wrong("a stage is a [[stage]] table");
    auto draft = readStage(*entry.as_table());
    if (!draft) return wrong(draft.error());
    drafts.push_back(*draft);
  }
  if (auto named = checkNames(drafts); !named) return wrong(named.error());
  auto stages = sortStages(kj::mv(drafts));
  if (!stages) return wrong(stages.error());
  if (auto whole = checkWhole(*stages); !whole) return wrong(whole.error());
  workload.stages = kj::mv(*stages);
  return workload;
}

}  // namespace

kj::Maybe<TaskShape> shapeOf(StageKind kind, const std::string& task) {
  static const std::map<std::pair<StageKind, std::string>, TaskShape> SHAPES = {
      {{StageKind::SOURCE, "microphone"}, {{}, "audio/pcm"}},
      {{StageKind::PLUGIN, "audio.vad"}, {{"audio/pcm"}, "audio/pcm"}},
      {{StageKind::PLUGIN, "audio.transcribe"}, {{"audio/pcm"}, "text"}},
      {{StageKind::PLUGIN, "text.format"}, {{"text"}, "text"}},
      {{StageKind::SINK, "text"}, {{"text"}, ""}},
  };
  auto found = SHAPES.find({kind, task});
  if (found == SHAPES.end()) return nullptr;
  return found->second;
}

std::expected<Workload, WorkloadError> parseWorkload(const std::string& nameOrToml) {
  if (nameOrToml == "dictate") return parseToml(DICTATE);
  if (isName(nameOrToml))
    return wrong("there is no workload '" + nameOrToml + "': try dictate, or name a .toml file");
  return parseToml(nameOrToml);
}

}  // namespace hearth::router
