#include "router/engine/bundle/description.h"

#include "router/engine/protocol/numbers.h"
#include "router/graph/toml.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace hearth::engine {

namespace {

constexpr std::array PORT_TYPES{
    "audio/pcm", "image", "text", "event", "tensor", "embedding", "blob"};
constexpr std::pair<const char*, FileRole> ROLES[] = {{"program", FileRole::PROGRAM},
    {"model", FileRole::MODEL}, {"data", FileRole::DATA}, {"library", FileRole::LIBRARY}};
constexpr std::pair<const char*, PluginKind> KINDS[] = {
    {"inference", PluginKind::INFERENCE}, {"tool", PluginKind::TOOL}};
constexpr std::pair<const char*, Label> LABELS[] = {{"public", Label::PUBLIC},
    {"personal", Label::PERSONAL}, {"health", Label::HEALTH}, {"secret", Label::SECRET}};

// Reads the entries of one table and remembers the first complaint; a table with an entry that
// nobody asked for is refused as well, so that a misspelt name does not pass in silence.
class Table final {
 public:
  explicit Table(const toml::table& table): table(table) {}

  std::string text(std::string_view key, kj::StringPtr missing) {
    auto value = find<std::string>(key);
    if (!value) complain(Errc::BAD_FORMAT, missing);
    return value.value_or("");
  }
  std::string textOr(std::string_view key, std::string fallback) {
    return find<std::string>(key).value_or(kj::mv(fallback));
  }
  template <typename T>
  T number(std::string_view key, T fallback, kj::StringPtr wrong) {
    auto value = find<int64_t>(key);
    if (!value) return fallback;
    if (*value < 0 || static_cast<uint64_t>(*value) > std::numeric_limits<T>::max()) {
      complain(Errc::LIMIT_EXCEEDED, wrong);
      return fallback;
    }
    return static_cast<T>(*value);
  }
  double real(std::string_view key) { return find<double>(key).value_or(0); }
  bool flag(std::string_view key) { return find<bool>(key).value_or(false); }

  template <typename T, size_t N>
  T choice(std::string_view key, const std::pair<const char*, T> (&choices)[N], T fallback,
      kj::StringPtr wrong) {
    auto value = find<std::string>(key);
    if (!value) return fallback;
    for (auto& [name, meaning]: choices) {
      if (*value == name) return meaning;
    }
    complain(Errc::BAD_FORMAT, wrong);
    return fallback;
  }

  kj::Maybe<const toml::table&> sub(std::string_view key) {
    ++asked;
    auto node = table[key].as_table();
    if (node == nullptr) {
      --asked;
      return nullptr;
    }
    return *node;
  }

  // The tables of an array; none when it is not there.
  std::vector<const toml::table*> list(std::string_view key, size_t most, kj::StringPtr wrong) {
    std::vector<const toml::table*> items;
    auto array = table[key].as_array();
    if (array == nullptr) return items;
    ++asked;
    if (array->size() > most) {
      complain(Errc::LIMIT_EXCEEDED, wrong);
      return items;
    }
    for (auto& item: *array) {
      if (item.as_table() == nullptr) {
        complain(Errc::BAD_FORMAT, wrong);
        return {};
      }
      items.push_back(item.as_table());
    }
    return items;
  }

  void complain(Errc code, kj::StringPtr because) {
    if (!complaint) complaint = Error{code, because};
  }

  // The first complaint, or one about entries that were never asked for.
  Result<void> finish(kj::StringPtr unknown) {
    if (complaint) return no(*complaint);
    if (asked != table.size()) return no(Errc::BAD_FORMAT, unknown);
    return {};
  }

 private:
  const toml::table& table;
  size_t asked = 0;
  std::optional<Error> complaint;

  template <typename T>
  std::optional<T> find(std::string_view key) {
    auto node = table[key];
    if (!node) return std::nullopt;
    ++asked;
    auto value = node.template value<T>();
    if (!value) complain(Errc::BAD_FORMAT, "an entry of plugin.toml has another type than asked");
    return value;
  }
};

Result<PluginVersion> parseVersion(const std::string& text) {
  std::array<uint16_t, 3> parts{};
  size_t at = 0;
  for (size_t i = 0; i < 3; ++i) {
    size_t digits = 0;
    uint32_t value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && digits < 6; ++at, ++digits) {
      value = value * 10 + static_cast<uint32_t>(text[at] - '0');
    }
    if (digits == 0 || value > 0xffff || (i < 2 && (at == text.size() || text[at++] != '.'))) {
      return no(Errc::BAD_FORMAT, "version must read major.minor.patch, \"0.1.0\" for example");
    }
    parts[i] = static_cast<uint16_t>(value);
  }
  if (at != text.size()) return no(Errc::BAD_FORMAT, "version has more than three numbers");
  return PluginVersion{parts[0], parts[1], parts[2]};
}

Result<Quotas> parseQuotas(const toml::table& source) {
  Table table(source);
  Quotas q;
  constexpr kj::StringPtr WRONG = "a quota is out of range"_kj;
  q.memoryMib = table.number("memory_mib", q.memoryMib, WRONG);
  q.cpuS = table.number("cpu_s", q.cpuS, WRONG);
  q.wallS = table.number("wall_s", q.wallS, WRONG);
  q.descriptors = table.number("descriptors", q.descriptors, WRONG);
  q.threads = table.number("threads", q.threads, WRONG);
  q.outputKib = table.number("output_kib", q.outputKib, WRONG);
  q.jobsPerMinute = table.number("jobs_per_minute", q.jobsPerMinute, WRONG);
  if (auto end = table.finish("[quotas] has an entry that is not known"); !end) {
    return no(end.error());
  }
  return q;
}

Result<std::vector<TaskPort>> parsePorts(Table& task, std::string_view key, size_t most) {
  std::vector<TaskPort> ports;
  for (auto item: task.list(key, most, "a task has too many ports, or one that is no table")) {
    Table table(*item);
    TaskPort port{
        table.text("name", "a port needs a name"), table.text("type", "a port needs a type")};
    if (auto end = table.finish("a port has an entry that is not known"); !end) {
      return no(end.error());
    }
    if (std::ranges::find(PORT_TYPES, port.type) == PORT_TYPES.end()) {
      return no(Errc::BAD_FORMAT, "a port's type is not one that Hearth knows");
    }
    ports.push_back(kj::mv(port));
  }
  return ports;
}

Result<Calibration> parseCalibration(const toml::table& source) {
  Table table(source);
  Calibration calibration;
  constexpr kj::StringPtr WRONG = "a number of [task.calibration] is out of range"_kj;
  calibration.input = table.text("input", "[task.calibration] needs an input file");
  calibration.units = table.real("units");
  calibration.unit = table.textOr("unit", "unit");
  calibration.frameBytes = table.number("frame_bytes", calibration.frameBytes, WRONG);
  calibration.frameUs = table.number("frame_us", calibration.frameUs, WRONG);
  calibration.segmentEnd = table.flag("segment_end");
  calibration.params = table.textOr("params", calibration.params);
  if (!std::isfinite(calibration.units) || calibration.units <= 0) {
    table.complain(Errc::BAD_FORMAT, "[task.calibration] needs units above 0");
  }
  if (calibration.params.size() > ENGINE_PARAMS_BYTES_MAX) {
    table.complain(Errc::LIMIT_EXCEEDED, "params of [task.calibration] are too long");
  }
  if (auto end = table.finish("[task.calibration] has an entry that is not known"); !end) {
    return no(end.error());
  }
  return calibration;
}

Result<PluginTask> parseTask(const toml::table& source) {
  Table table(source);
  PluginTask task;
  task.name = table.text("name", "a [[task]] needs a name");
  auto inputs = parsePorts(table, "inputs", PluginTask::INPUTS_MAX);
  if (!inputs) return no(inputs.error());
  auto outputs = parsePorts(table, "outputs", ENGINE_OUT_PORTS);
  if (!outputs) return no(outputs.error());
  task.inputs = kj::mv(*inputs);
  task.outputs = kj::mv(*outputs);
  KJ_IF_MAYBE(calibration, table.sub("calibration")) {
    auto parsed = parseCalibration(*calibration);
    if (!parsed) return no(parsed.error());
    task.calibration = kj::mv(*parsed);
  }
  if (auto end = table.finish("a [[task]] has an entry that is not known"); !end) {
    return no(end.error());
  }
  if (!isPluginName(task.name.c_str())) {
    return no(Errc::BAD_FORMAT, "a task's name is not [a-z][a-z0-9._-]*");
  }
  if (task.inputs.empty() || task.outputs.size() != ENGINE_OUT_PORTS) {
    return no(Errc::BAD_FORMAT, "a task needs at least one input and exactly one output");
  }
  return task;
}

Result<BundleFile> parseFile(const toml::table& source) {
  Table table(source);
  BundleFile file;
  if (!source.contains("role")) table.complain(Errc::BAD_FORMAT, "a [[file]] needs a role");
  file.role = table.choice("role", ROLES, FileRole::DATA, "a [[file]] has an unknown role");
  file.path = table.text("path", "a [[file]] needs a path");
  if (auto end = table.finish("a [[file]] has an entry that is not known"); !end) {
    return no(end.error());
  }
  return file;
}

// No capability beyond the bundle's own files can be granted yet.
Result<std::vector<std::string>> parseNeeds(const toml::table& root) {
  auto needs = root["needs"];
  if (!needs) return std::vector<std::string>();
  if (needs.as_array() == nullptr) return no(Errc::BAD_FORMAT, "needs must be a list");
  if (!needs.as_array()->empty()) {
    return no(Errc::POLICY_DENIED, "needs names a capability that Hearth cannot grant");
  }
  return std::vector<std::string>();
}

}  // namespace

kj::Maybe<const PluginTask&> Description::task(kj::StringPtr name) const {
  for (auto& task: tasks) {
    if (name == task.name.c_str()) return task;
  }
  return nullptr;
}

Result<Description> describe(kj::StringPtr text) {
  if (text.size() > Description::TEXT_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "plugin.toml is too long");
  }
  auto parsed = router::readToml({text.begin(), text.size()});
  if (!parsed) return no(Errc::BAD_FORMAT, "plugin.toml is not valid TOML");
  const toml::table& root = parsed.table();

  Table table(root);
  Description description;
  auto& manifest = description.manifest;
  manifest.name = table.text("name", "plugin.toml needs a name");
  auto version = parseVersion(table.text("version", "plugin.toml needs a version"));
  if (!version) return no(version.error());
  manifest.version = *version;
  auto abi = table.number<uint16_t>("abi", ENGINE_ABI, "abi is out of range");
  if (abi != ENGINE_ABI) return no(Errc::BAD_VERSION, "abi is another than this Hearth's");
  manifest.kind = table.choice("kind", KINDS, PluginKind::INFERENCE, "kind is not known");
  manifest.maxLabel = table.choice("max_label", LABELS, Label::SECRET, "max_label is not known");
  KJ_IF_MAYBE(quotas, table.sub("quotas")) {
    auto read = parseQuotas(*quotas);
    if (!read) return no(read.error());
    manifest.quotas = *read;
  }
  auto needs = parseNeeds(root);
  if (!needs) return no(needs.error());
  table.list("needs", 0, "");
  for (auto item: table.list("task", Description::TASKS_MAX, "too many tasks")) {
    auto task = parseTask(*item);
    if (!task) return no(task.error());
    description.tasks.push_back(kj::mv(*task));
  }
  for (auto item: table.list("file", Manifest::FILES_MAX - 1, "too many files")) {
    auto file = parseFile(*item);
    if (!file) return no(file.error());
    manifest.files.push_back(kj::mv(*file));
  }
  manifest.files.push_back(BundleFile{FileRole::DATA, Description::FILE_NAME.cStr(), 0, {}});
  if (description.tasks.empty()) table.complain(Errc::BAD_FORMAT, "plugin.toml needs a [[task]]");
  if (auto end = table.finish("plugin.toml has an entry that is not known"); !end) {
    return no(end.error());
  }
  if (auto good = check(manifest); !good) return no(good.error());
  return description;
}

}  // namespace hearth::engine
