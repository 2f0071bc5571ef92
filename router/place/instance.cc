#include "router/place/instance.h"

#include "router/place/solve.h"

#include <map>
#include <nlohmann/json.hpp>

namespace hearth::router {

namespace {

using nlohmann::json;

struct Malformed {
  kj::StringPtr because;
};

// Keeps every sum and quotient of the planner finite.
constexpr double NUMBER_MAX = 1e100;

double number(const json& value, double fallback, kj::StringPtr because) {
  if (value.is_null()) return fallback;
  if (!value.is_number()) throw Malformed{because};
  auto plain = value.get<double>();
  if (!(plain >= 0 && plain <= NUMBER_MAX)) throw Malformed{because};
  return plain;
}

const json& list(const json& object, const char* key, size_t most, kj::StringPtr because) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->size() > most) throw Malformed{because};
  return *found;
}

json field(const json& object, const char* key) {
  if (!object.is_object()) throw Malformed{"an entry that is no object"};
  return object.contains(key) ? object[key] : json();
}

void readDevices(const json& root, Problem& problem) {
  for (auto& entry: list(root, "devices", Problem::DEVICES_MAX, "devices: 1 to 64 are needed")) {
    Problem::Device device;
    device.activeW = number(field(entry, "active_w"), 0, "devices: active_w is no power");
    device.idleW = number(field(entry, "idle_w"), 0, "devices: idle_w is no power");
    device.txJPerByte = number(field(entry, "tx_j_per_byte"), 0, "devices: tx_j_per_byte");
    device.rxJPerByte = number(field(entry, "rx_j_per_byte"), 0, "devices: rx_j_per_byte");
    device.memoryBytes =
        number(field(entry, "memory_bytes"), Problem::NEVER, "devices: memory_bytes is no size");
    problem.devices.push_back(device);
  }
  if (problem.devices.empty()) throw Malformed{"devices: 1 to 64 are needed"};
}

void readLinks(const json& root, Problem& problem) {
  auto links = field(root, "links");
  auto count = problem.devices.size();
  if (!links.is_object()) throw Malformed{"links: bandwidth_Bps and latency_s are needed"};
  auto& bandwidth = list(links, "bandwidth_Bps", count, "links: bandwidth_Bps has another size");
  auto& latency = list(links, "latency_s", count, "links: latency_s has another size");
  if (bandwidth.size() != count || latency.size() != count)
    throw Malformed{"links: a row for each device is needed"};
  auto isRow = [&](const json& row) { return row.is_array() && row.size() == count; };
  for (size_t a = 0; a < count; ++a) {
    if (!isRow(bandwidth[a]) || !isRow(latency[a]))
      throw Malformed{"links: a column for each device is needed"};
    for (size_t b = 0; b < count; ++b) {
      auto speed = a == b ? 1 : number(bandwidth[a][b], 0, "links: a bandwidth is none");
      if (speed < 1 / NUMBER_MAX) throw Malformed{"links: a bandwidth is none"};
      problem.perByte.push_back(a == b ? 0 : 1 / speed);
      problem.latency.push_back(a == b ? 0 : number(latency[a][b], 0, "links: a latency is none"));
    }
  }
}

void readTasks(const json& root, Problem& problem) {
  std::map<std::string, uint32_t> models;
  for (auto& entry: list(root, "tasks", Problem::TASKS_MAX, "tasks: 1 to 4096 are needed")) {
    auto& seconds = list(entry, "exec_s", problem.devices.size(), "tasks: exec_s has another size");
    if (seconds.size() != problem.devices.size())
      throw Malformed{"tasks: exec_s needs a value for each device"};
    for (auto& value: seconds)
      problem.exec.push_back(number(value, Problem::NEVER, "tasks: exec_s is no time"));
    Problem::Task task;
    task.memoryBytes = number(field(entry, "memory_bytes"), 0, "tasks: memory_bytes is no size");
    // A task without a model shares its memory with none.
    auto model = field(entry, "model");
    auto name =
        model.is_string() ? model.get<std::string>() : "\n" + std::to_string(problem.tasks.size());
    task.model = models.try_emplace(name, static_cast<uint32_t>(models.size())).first->second;
    problem.tasks.push_back(task);
  }
  if (problem.tasks.empty()) throw Malformed{"tasks: 1 to 4096 are needed"};
}

uint32_t taskIndex(const json& value, const Problem& problem) {
  constexpr auto WRONG = "edges: from and to are indexes of tasks"_kj;
  if (!value.is_number_unsigned()) throw Malformed{WRONG};
  auto index = value.get<uint64_t>();
  if (index >= problem.tasks.size()) throw Malformed{WRONG};
  return static_cast<uint32_t>(index);
}

void readEdges(const json& root, Problem& problem) {
  for (auto& entry: list(root, "edges", Problem::EDGES_MAX, "edges: at most 65536 fit")) {
    auto from = taskIndex(field(entry, "from"), problem);
    auto to = taskIndex(field(entry, "to"), problem);
    problem.edges.push_back(
        {from, to, number(field(entry, "bytes"), 0, "edges: bytes is no size")});
  }
}

}  // namespace

Result<Problem> parseInstance(const std::string& text) {
  if (text.size() > INSTANCE_BYTES_MAX) return no(Errc::LIMIT_EXCEEDED, "the instance is too long");
  auto root = json::parse(text, nullptr, false);
  if (!root.is_object()) return no(Errc::BAD_FORMAT, "the instance is no JSON object");
  Problem problem;
  try {
    readDevices(root, problem);
    readLinks(root, problem);
    readTasks(root, problem);
    readEdges(root, problem);
  } catch (const Malformed& wrong) {
    return no(Errc::BAD_FORMAT, wrong.because);
  }
  if (topologicalOrder(problem, Neighbours(problem)).empty())
    return no(Errc::BAD_FORMAT, "edges: they go round in a circle");
  return problem;
}

Result<std::string> placeInstance(const std::string& text, const kj::MonotonicClock& clock) {
  auto problem = parseInstance(text);
  if (!problem) return no(problem.error());
  auto begun = clock.now();
  auto schedule = solve(*problem);
  auto micros = (clock.now() - begun) / kj::MICROSECONDS;
  if (!schedule)
    return no(
        Errc::QUOTA_EXCEEDED, "no placement fits: a task can run nowhere, or memory is short");
  return json({{"device", schedule->device}, {"order", schedule->order}, {"decision_us", micros}})
      .dump();
}

}  // namespace hearth::router
