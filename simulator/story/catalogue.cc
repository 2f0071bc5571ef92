#include "simulator/story/catalogue.h"

#include "simulator/engines/model-task.h"
#include "simulator/story/scenario.h"
#include "simulator/story/toml-reader.h"

#include <algorithm>
#include <sstream>

namespace hearth::sim {

namespace {

constexpr size_t TEXT_BYTES_MAX = 64 << 10;
constexpr size_t ENTRIES_MAX = 100;
constexpr size_t NAME_CHARS_MAX = 32;
constexpr size_t MESSAGE_CHARS_MAX = 300;

// What a device may say it is (`hearth init --class`).
constexpr const char* CLASSES[] = {"watch", "phone", "laptop", "gpubox", "vault"};

bool isName(const std::string& name) {
  auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= NAME_CHARS_MAX && std::ranges::all_of(name, fits);
}

// A key of the text may hold line breaks and worse, and then so would a message that names it.
std::string oneLine(std::string message) {
  if (message.size() > MESSAGE_CHARS_MAX) message.resize(MESSAGE_CHARS_MAX);
  std::ranges::replace_if(message, [](char c) { return c < ' ' || c > '~'; }, '?');
  return message;
}

// One table of a catalogue. Figures that a kind cannot do without are `need`ed.
class Entry {
 public:
  Entry(const toml::table& table, const std::string& where, std::string& wrong)
      : in(table, where, wrong),
        table(table) {}

  TomlReader in;

  double need(const char* key, double least, double most) {
    require(key);
    return in.number(key, least, least, most);
  }

  template <typename T>
  T whole(const char* key, T otherwise, T least, T most) {
    auto value = in.number(
        key, static_cast<double>(otherwise), static_cast<double>(least), static_cast<double>(most));
    auto result = static_cast<T>(value);
    if (static_cast<double>(result) != value)
      in.complain(std::string(key) + " must be a whole number");
    return result;
  }

  template <typename T>
  T needWhole(const char* key, T least, T most) {
    require(key);
    return whole<T>(key, least, least, most);
  }

  kj::Duration span(const char* key, kj::Duration otherwise) {
    constexpr auto MOST = 1 * kj::HOURS;
    if (!table.contains(key)) return otherwise;
    KJ_IF_MAYBE(span, parseSpan(in.text(key))) {
      if (*span <= MOST) return *span;
    }
    in.complain(std::string(key) + " must be a time of an hour at most, such as 250ms");
    return otherwise;
  }

  kj::Duration needSpan(const char* key) {
    require(key);
    return span(key, 0 * kj::SECONDS);
  }

 private:
  const toml::table& table;

  void require(const char* key) {
    if (!table.contains(key)) in.complain(std::string(key) + " is missing");
  }
};

// The tables of a text, by name and in its order.
class Entries {
 public:
  Entries(const char* file, const std::string& text, std::string& wrong): file(file), wrong(wrong) {
    load(text);
  }

  // `read` gets an entry and its name, as long as all is well.
  template <typename Read>
  void each(Read&& read) {
    for (auto& [key, value]: table) {
      if (!wrong.empty()) return;
      std::string name(key.str());
      if (!isName(name)) {
        complain("a name must be 1 to 32 small letters, digits and hyphens: " + name);
      } else if (auto one = value.as_table(); one == nullptr) {
        complain(name + " must be a table");
      } else {
        Entry entry(*one, "[" + name + "] in " + file, wrong);
        read(entry, name);
        entry.in.finish();
      }
    }
  }

 private:
  const char* file;
  std::string& wrong;
  toml::table table;

  void load(const std::string& text) {
    if (text.size() > TEXT_BYTES_MAX) return complain("the text is too long");
    auto parsed = router::readToml(text);
    if (!parsed) {
      std::ostringstream why;
      why << "line " << parsed.error().source().begin.line << ": " << parsed.error().description();
      return complain(why.str());
    }
    table = std::move(parsed).table();
    if (table.empty()) complain("there is no entry");
    if (table.size() > ENTRIES_MAX) complain("there are too many entries");
  }

  void complain(const std::string& what) {
    if (wrong.empty()) wrong = std::string(file) + ": " + what;
  }
};

NetworkKind readNetwork(Entry& from, const std::string& name) {
  constexpr double BPS_MAX = 1e12, NANOJOULE_MAX = 1e9, MILLIWATT_MAX = 1e6;
  NetworkKind kind{.name = name};
  kind.latencyMin = from.needSpan("latency_min");
  kind.latencyMax = from.needSpan("latency_max");
  kind.upBps = from.need("up_bps", 1, BPS_MAX);
  kind.downBps = from.need("down_bps", 1, BPS_MAX);
  kind.lossPermille = from.whole<uint32_t>("loss_permille", 0, 0, 1'000);
  kind.duplicatePermille = from.whole<uint32_t>("duplicate_permille", 0, 0, 1'000);
  kind.reorderPermille = from.whole<uint32_t>("reorder_permille", 0, 0, 1'000);
  kind.isolates = from.in.flag("isolates", kind.isolates);
  kind.internet = from.in.flag("internet", kind.internet);
  kind.letsIn = from.in.flag("lets_in", kind.letsIn);
  kind.portal = from.in.flag("portal", kind.portal);
  kind.streams = from.in.flag("streams", kind.streams);
  kind.multicast = from.in.flag("multicast", kind.multicast);
  kind.multicastLossPermille = from.whole<uint32_t>("multicast_loss_permille", 0, 0, 1'000);
  kind.symmetric = from.in.flag("symmetric", kind.symmetric);
  kind.natIdle = from.span("nat_idle", kind.natIdle);
  kind.txNanojoulePerByte = from.in.number("tx_nj_per_byte", 0, 0, NANOJOULE_MAX);
  kind.rxNanojoulePerByte = from.in.number("rx_nj_per_byte", 0, 0, NANOJOULE_MAX);
  kind.tailMw = from.in.number("tail_mw", 0, 0, MILLIWATT_MAX);
  kind.tail = from.span("tail", kind.tail);
  if (kind.latencyMin > kind.latencyMax) from.in.complain("latency_min is above latency_max");
  if (kind.letsIn && !kind.internet) from.in.complain("lets_in needs internet");
  return kind;
}

TaskModel readTask(Entry& from) {
  constexpr double SECONDS_MAX = 3'600;
  TaskModel model;
  model.fixedS = from.in.number("fixed_s", model.fixedS, 0, SECONDS_MAX);
  model.perUnitS = from.need("per_unit_s", 0, SECONDS_MAX);
  model.spread = from.in.number("spread", model.spread, 0, 0.9);
  model.load = from.span("load", model.load);
  from.in.finish();
  return model;
}

std::map<std::string, TaskModel> readTasks(
    TomlReader& from, const std::string& name, std::string& wrong) {
  std::map<std::string, TaskModel> models;
  auto tasks = from.sub("tasks");
  if (tasks == nullptr) return models;
  for (auto& [key, value]: *tasks) {
    std::string task(key.str());
    auto one = value.as_table();
    if (ModelTask::make(task, 1, {}) == nullptr) {
      from.complain("no plugin has the task '" + task + "'");
    } else if (one == nullptr) {
      from.complain("the task " + task + " must be a table");
    } else {
      Entry entry(*one, "[" + name + ".tasks.\"" + task + "\"]", wrong);
      models[task] = readTask(entry);
    }
  }
  return models;
}

void readPower(Entry& from, Profile& profile) {
  constexpr double MILLIWATT_MAX = 1e7;
  profile.batteryMwh = from.in.number("battery_mwh", 0, 0, 1e9);
  profile.idleMw = from.need("idle_mw", 0, MILLIWATT_MAX);
  profile.asleepMw = from.need("asleep_mw", 0, MILLIWATT_MAX);
  profile.activeMw = from.need("active_mw", 0, MILLIWATT_MAX);
  profile.wakeMicrojoule = from.in.number("wake_uj", 0, 0, 1e9);
  profile.heatCapacityS = from.in.number("heat_capacity_s", 0, 0, 1e6);
  profile.coolingPerS = from.in.number("cooling_per_s", profile.coolingPerS, 0.001, 1'000);
  profile.throttled = from.in.number("throttled", profile.throttled, 1, 100);
  if (profile.asleepMw > profile.idleMw) from.in.complain("asleep_mw is above idle_mw");
  if (profile.hasBattery() && profile.idleMw <= 0)
    from.in.complain("a battery needs idle_mw above 0");
}

std::vector<std::string> readRadios(
    TomlReader& from, const std::map<std::string, NetworkKind>& networks) {
  auto radios = from.texts("radios");
  if (radios.empty()) from.complain("radios are missing");
  std::set<std::string> seen;
  for (auto& radio: radios) {
    if (!networks.contains(radio)) from.complain("radios: no network is called '" + radio + "'");
    if (!seen.insert(radio).second) from.complain("radios names " + radio + " twice");
  }
  return radios;
}

Profile readProfile(Entry& from, const std::string& name,
    const std::map<std::string, NetworkKind>& networks, std::string& wrong) {
  Profile profile{.name = name};
  profile.deviceClass = from.in.needText("class");
  if (std::ranges::count(CLASSES, profile.deviceClass) == 0)
    from.in.complain("class must be watch, phone, laptop, gpubox or vault");
  profile.cores = from.needWhole<uint32_t>("cores", 1, 1'024);
  profile.memoryBytes = from.needWhole<uint64_t>("memory_mib", 1, 16 << 20) << 20;
  readPower(from, profile);
  profile.syncTakes = from.needSpan("sync");
  profile.driftPpm = from.needWhole<int32_t>("drift_ppm", 0, 10'000);
  profile.microphone = from.in.flag("microphone", profile.microphone);
  profile.backgroundFor = from.span("background", profile.backgroundFor);
  profile.radios = readRadios(from.in, networks);
  profile.tasks = readTasks(from.in, name, wrong);
  return profile;
}

}  // namespace

std::expected<Catalogue, std::string> Catalogue::parse(
    const std::string& profilesToml, const std::string& networksToml) {
  Catalogue catalogue;
  std::string wrong;
  Entries("networks.toml", networksToml, wrong).each([&](Entry& entry, const std::string& name) {
    catalogue.networks[name] = readNetwork(entry, name);
  });
  Entries("profiles.toml", profilesToml, wrong).each([&](Entry& entry, const std::string& name) {
    catalogue.profiles[name] = readProfile(entry, name, catalogue.networks, wrong);
  });
  if (!wrong.empty()) return std::unexpected(oneLine(wrong));
  return catalogue;
}

}  // namespace hearth::sim
