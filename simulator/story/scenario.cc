#include "simulator/story/scenario.h"

#include "simulator/story/toml-reader.h"

#include <algorithm>
#include <set>
#include <sstream>

namespace hearth::sim {

namespace {

struct Unit {
  const char* name;
  int64_t nanoseconds;
};

// Longest names first where one begins another.
constexpr Unit UNITS[] = {{"ms", 1'000'000}, {"us", 1'000}, {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000}};

kj::Duration spanOf(TomlReader& reader, const char* key, kj::Duration otherwise) {
  auto text = reader.text(key);
  if (text.empty()) return otherwise;
  KJ_IF_MAYBE(span, parseSpan(text)) return *span;
  reader.complain(std::string(key) + " must be a time such as 90s or 1d7h30m");
  return otherwise;
}

Cast readCast(TomlReader& in) {
  Cast cast;
  cast.name = in.needText("name");
  cast.profile = in.needText("profile");
  cast.at = in.texts("at");
  cast.visits = in.texts("visits");
  cast.admin = in.flag("admin");
  cast.later = in.flag("later");
  cast.hidden = in.flag("hidden");
  cast.udp = in.flag("udp");
  cast.counter = in.flag("counter");
  cast.circle = in.text("circle");
  cast.battery = in.number("battery", -1, 0, 1);
  in.finish();
  return cast;
}

Step readStep(TomlReader& in) {
  Step step;
  step.what = in.needText("do");
  step.at = spanOf(in, "at", step.at);
  step.every = spanOf(in, "every", step.every);
  step.times = static_cast<uint32_t>(in.number("times", 1, 1, 100'000));
  step.jitter = spanOf(in, "jitter", step.jitter);
  step.permille = static_cast<uint32_t>(in.number("permille", 1'000, 0, 1'000));
  step.device = in.text("device");
  step.other = in.text("other");
  step.networks = in.texts("networks");
  step.span = spanOf(in, "for", step.span);
  step.amount = in.number("amount", 0, -1e9, 1e9);
  step.second = in.number("second", 0, -1e9, 1e9);
  if (step.times > 1 && step.every == 0 * kj::SECONDS) in.complain("times needs every");
  in.finish();
  return step;
}

Storm readStorm(TomlReader& in) {
  Storm storm;
  storm.from = spanOf(in, "from", storm.from);
  storm.until = spanOf(in, "until", storm.until);
  storm.every = spanOf(in, "every", storm.every);
  storm.span = spanOf(in, "for", storm.span);
  storm.devices = in.texts("devices");
  if (storm.every <= 0 * kj::SECONDS || storm.until <= storm.from)
    in.complain("a storm needs from < until, and every");
  if (auto faults = in.sub("faults")) {
    for (auto& [key, value]: *faults) {
      auto weight = value.value_exact<int64_t>();
      if (!weight || *weight < 1 || *weight > 1'000)
        in.complain("the weight of " + std::string(key.str()) + " must be 1 to 1000");
      storm.faults[std::string(key.str())] = static_cast<uint32_t>(weight.value_or(1));
    }
  }
  if (storm.faults.empty()) in.complain("a storm needs faults with weights");
  in.finish();
  return storm;
}

Expectations readExpectations(TomlReader& in) {
  Expectations expect;
  expect.came = in.texts("came");
  expect.comes = in.texts("comes");
  expect.never = in.texts("never");
  if (auto most = in.sub("most")) {
    for (auto& [key, value]: *most) {
      auto times = value.value_exact<int64_t>();
      if (!times || *times < 1)
        in.complain("most: " + std::string(key.str()) +
            " must be 1 or more: what may not come at all stands in never");
      expect.most[std::string(key.str())] = static_cast<uint64_t>(times.value_or(1));
    }
  }
  expect.allDone = in.flag("all_done");
  expect.endsWithin = spanOf(in, "ends_within", expect.endsWithin);
  expect.wakesPerHourMax = in.number("wakes_per_hour_max", -1, 0, 1e9);
  expect.mwhPerDayMax = in.number("mwh_per_day_max", -1, 0, 1e9);
  in.finish();
  return expect;
}

// Whatever a step or a storm names must be there.
void checkNames(const Scenario& scenario, std::string& wrong) {
  std::set<std::string> devices;
  auto complain = [&](const std::string& what) {
    if (wrong.empty()) wrong = what;
  };
  auto network = [&](const std::string& name) {
    if (!scenario.networks.contains(name)) complain("no network is called " + name);
  };
  for (auto& cast: scenario.devices) {
    if (!devices.insert(cast.name).second) complain("two devices are called " + cast.name);
    for (auto& name: cast.at) network(name);
    for (auto& name: cast.visits) network(name);
  }
  auto device = [&](const std::string& name) {
    if (!name.empty() && !devices.contains(name)) complain("no device is called " + name);
  };
  for (auto& step: scenario.steps) {
    device(step.device);
    device(step.other);
    for (auto& name: step.networks) network(name);
  }
  for (auto& storm: scenario.storms) {
    for (auto& name: storm.devices) device(name);
  }
  std::map<std::string, bool> founded;
  for (auto& cast: scenario.devices) founded[cast.circle] |= cast.admin && !cast.later;
  bool all = std::ranges::all_of(founded, [](auto& circle) { return circle.second; });
  if (!all || founded.empty())
    complain("one device at least of each circle must be an admin from the beginning");
}

std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

class Writer {
 public:
  void table(const char* name) { out << "\n" << name << "\n"; }
  void put(const char* key, const std::string& text) {
    if (!text.empty()) out << key << " = " << quoted(text) << "\n";
  }
  void put(const char* key, kj::Duration span) {
    if (span != 0 * kj::SECONDS) out << key << " = \"" << writeSpan(span) << "\"\n";
  }
  void put(const char* key, bool flag) {
    if (flag) out << key << " = true\n";
  }
  void put(const char* key, double number, double usual) {
    if (number != usual) out << key << " = " << toml::value<double>(number) << "\n";
  }
  void put(const char* key, const std::vector<std::string>& list) {
    if (list.empty()) return;
    out << key << " = [";
    for (auto& item: list) out << (&item == &list.front() ? "" : ", ") << quoted(item);
    out << "]\n";
  }
  void raw(const std::string& text) { out << text; }
  std::string text() const { return out.str(); }

 private:
  std::ostringstream out;
};

}  // namespace

kj::Maybe<kj::Duration> parseSpan(const std::string& text) {
  constexpr int64_t MOST = 400ll * 86'400'000'000'000;
  int64_t total = 0;
  size_t at = 0;
  while (at < text.size()) {
    int64_t count = 0;
    auto digits = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && count < 1'000'000'000; ++at)
      count = count * 10 + (text[at] - '0');
    auto unit = std::ranges::find_if(
        UNITS, [&](auto& unit) { return text.compare(at, strlen(unit.name), unit.name) == 0; });
    if (at == digits || unit == std::end(UNITS)) return nullptr;
    if (count > MOST / unit->nanoseconds) return nullptr;
    total += count * unit->nanoseconds;
    at += strlen(unit->name);
    if (total > MOST) return nullptr;
  }
  if (text.empty()) return nullptr;
  return total * kj::NANOSECONDS;
}

std::string writeSpan(kj::Duration span) {
  auto rest = span / kj::NANOSECONDS;
  std::string text;
  for (auto name: {"d", "h", "m", "s", "ms", "us"}) {
    auto unit = std::ranges::find_if(UNITS, [&](auto& u) { return strcmp(u.name, name) == 0; });
    if (auto count = rest / unit->nanoseconds; count > 0) {
      text += std::to_string(count) + name;
      rest %= unit->nanoseconds;
    }
  }
  return text.empty() ? "0s" : text;
}

std::expected<Scenario, std::string> parseScenario(
    const std::string& name, const std::string& text) {
  if (text.size() > Scenario::TEXT_BYTES_MAX)
    return std::unexpected(name + ": the text is too long");
  auto parsed = router::readToml(text);
  if (!parsed) {
    std::ostringstream why;
    why << name << ": line " << parsed.error().source().begin.line << ": "
        << parsed.error().description();
    return std::unexpected(why.str());
  }
  std::string wrong;
  Scenario scenario{.name = name};
  TomlReader top(parsed.table(), name, wrong);
  scenario.title = top.needText("title");
  scenario.story = top.text("story");
  scenario.isShort = top.flag("short");
  scenario.lasts = spanOf(top, "lasts", scenario.lasts);
  scenario.heals = spanOf(top, "heals", scenario.heals);
  auto each = [&](const char* key, auto&& read) {
    size_t number = 0;
    for (auto table: top.tables(key)) {
      TomlReader reader(*table, "[[" + std::string(key) + "]] " + std::to_string(++number), wrong);
      read(reader);
    }
  };
  each("network", [&](TomlReader& in) {
    auto network = in.needText("name");
    scenario.networks[network] = in.needText("kind");
    in.finish();
  });
  each("device", [&](TomlReader& in) { scenario.devices.push_back(readCast(in)); });
  each("step", [&](TomlReader& in) { scenario.steps.push_back(readStep(in)); });
  each("storm", [&](TomlReader& in) { scenario.storms.push_back(readStorm(in)); });
  if (auto expect = top.sub("expect")) {
    TomlReader reader(*expect, "[expect]", wrong);
    scenario.expect = readExpectations(reader);
  }
  top.finish();
  if (scenario.devices.size() > Scenario::DEVICES_MAX ||
      scenario.steps.size() > Scenario::STEPS_MAX)
    top.complain("too many devices or steps");
  if (wrong.empty()) checkNames(scenario, wrong);
  if (!wrong.empty()) return std::unexpected(wrong);
  return scenario;
}

std::string writeScenario(const Scenario& scenario) {
  Writer out;
  out.put("title", scenario.title);
  out.put("story", scenario.story);
  out.put("short", scenario.isShort);
  out.put("lasts", scenario.lasts);
  out.put("heals", scenario.heals);
  for (auto& [name, kind]: scenario.networks) {
    out.table("[[network]]");
    out.put("name", name);
    out.put("kind", kind);
  }
  for (auto& cast: scenario.devices) {
    out.table("[[device]]");
    out.put("name", cast.name);
    out.put("profile", cast.profile);
    out.put("at", cast.at);
    out.put("visits", cast.visits);
    out.put("admin", cast.admin);
    out.put("later", cast.later);
    out.put("hidden", cast.hidden);
    out.put("udp", cast.udp);
    out.put("counter", cast.counter);
    out.put("circle", cast.circle);
    out.put("battery", cast.battery, -1);
  }
  for (auto& step: scenario.steps) {
    out.table("[[step]]");
    out.put("at", step.at);
    out.put("do", step.what);
    out.put("device", step.device);
    out.put("other", step.other);
    out.put("networks", step.networks);
    out.put("every", step.every);
    out.put("times", step.times, 1);
    out.put("jitter", step.jitter);
    out.put("permille", step.permille, 1'000);
    out.put("for", step.span);
    out.put("amount", step.amount, 0);
    out.put("second", step.second, 0);
  }
  for (auto& storm: scenario.storms) {
    out.table("[[storm]]");
    out.put("from", storm.from);
    out.put("until", storm.until);
    out.put("every", storm.every);
    out.put("for", storm.span);
    out.put("devices", storm.devices);
    std::string faults;
    for (auto& [what, weight]: storm.faults)
      faults += (faults.empty() ? "" : ", ") + quoted(what) + " = " + std::to_string(weight);
    out.raw("faults = { " + faults + " }\n");
  }
  auto& expect = scenario.expect;
  out.table("[expect]");
  out.put("came", expect.came);
  out.put("comes", expect.comes);
  out.put("never", expect.never);
  std::string most;
  for (auto& [effect, times]: expect.most)
    most += (most.empty() ? "" : ", ") + quoted(effect) + " = " + std::to_string(times);
  if (!most.empty()) out.raw("most = { " + most + " }\n");
  out.put("all_done", expect.allDone);
  out.put("ends_within", expect.endsWithin);
  out.put("wakes_per_hour_max", expect.wakesPerHourMax, -1);
  out.put("mwh_per_day_max", expect.mwhPerDayMax, -1);
  return out.text();
}

}  // namespace hearth::sim
