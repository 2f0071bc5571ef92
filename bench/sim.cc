#include "bench/sim.h"

#include "apps/hearth-sim/shelf.h"
#include "bench/crowd.h"
#include "bench/process.h"
#include "simulator/story/run.h"

#include <kj/debug.h>

#include <cstdio>
#include <set>
#include <vector>

namespace hearth::bench {

namespace {

using nlohmann::json;
constexpr auto HOUR = 1 * kj::HOURS;

double secondsOf(kj::Duration span) { return static_cast<double>(span / kj::MILLISECONDS) / 1e3; }

// Follows a run while time passes: CPU time by hours of the story, and a line now and then for whoever
// waits.
class Watch final {
 public:
  explicit Watch(const char* what): what(what) {}

  void look(sim::Run& run) {
    auto cpu = cpuS();
    bool inStory =
        run.beganAt() != sim::WorldTime::BEGINNING && run.world.time.now() > run.beganAt();
    if (inStory) {
      if (hours.empty()) setUpS = before - began;
      auto hour =
          static_cast<size_t>((run.world.time.now() - run.beganAt() - 1 * kj::NANOSECONDS) / HOUR);
      if (hours.size() <= hour) hours.resize(hour + 1);
      hours[hour] += cpu - before;
    }
    before = cpu;
    tell(run);
  }

  // Hours of the story in which nothing is done and nothing goes wrong, nor in the time before that a
  // fault or a dictation may take.
  std::set<size_t> quietHours(sim::Run& run) const {
    constexpr auto LINGERS = 10 * kj::MINUTES;
    std::set<size_t> quiet;
    for (size_t hour = 0; (static_cast<int64_t>(hour) + 1) * HOUR <= run.scenario.lasts; ++hour)
      quiet.insert(hour);
    for (auto& event: run.world.history.all()) {
      if (event.kind == "trace" || event.kind == "connection" || event.kind == "battery") continue;
      for (auto at: {event.at, event.at + LINGERS}) {
        if (at >= run.beganAt()) quiet.erase(static_cast<size_t>((at - run.beganAt()) / HOUR));
      }
    }
    return quiet;
  }

  double cpuIn(size_t hour) const { return hour < hours.size() ? hours[hour] : 0; }
  double setUpCpuS() const { return setUpS; }

 private:
  const char* what;
  double began = cpuS(), before = began, setUpS = 0, told = wallS();
  std::vector<double> hours;  // CPU seconds

  void tell(sim::Run& run) {
    constexpr double EVERY_S = 5;
    if (wallS() - told < EVERY_S) return;
    told = wallS();
    fprintf(stderr, "%s: %.0f s of virtual time, %.1f s of CPU, %.0f MiB\n", what,
        secondsOf(run.world.time.elapsed()), cpuS(), rssPeakMib());
  }
};

json outcomeOf(const sim::Run& run, const sim::Outcome& outcome) {
  for (auto& violation: outcome.violations)
    fprintf(stderr, "%s: %s: %s\n", outcome.scenario.c_str(), violation.checker.c_str(),
        violation.text.c_str());
  return {{"virtual_s", outcome.virtualS}, {"cpu_s", outcome.cpuS},
      {"times_real", outcome.virtualS / outcome.cpuS},
      {"dictations", run.people.dictations().size()}, {"violations", outcome.violations.size()}};
}

json week(const cli::Shelf& shelf, const SimOptions& options) {
  auto scenario = shelf.scenario("week");
  auto lasts = static_cast<int64_t>(options.days * 86'400) * kj::SECONDS;
  if (lasts < scenario.lasts) {
    scenario.lasts = lasts;
    scenario.expect.came.clear();  // not everything comes in the first days
  }
  Watch watch("week");
  sim::Run run(scenario, shelf.catalogue(), options.seed);
  sim::Run::Watcher watcher = [&watch](sim::Run& run) { watch.look(run); };
  auto result = outcomeOf(run, run.go(watcher));
  auto quiet = watch.quietHours(run);
  double quietCpuS = 0;
  for (auto hour: quiet) quietCpuS += watch.cpuIn(hour);
  result["quiet_hours"] = quiet.size();
  result["quiet_times_real"] = nullptr;
  if (!quiet.empty())
    result["quiet_times_real"] = secondsOf(static_cast<int64_t>(quiet.size()) * HOUR) / quietCpuS;
  return result;
}

// A sentence a minute, from the phone, over watch, laptop and GPU box.
json fourDevices(const cli::Shelf& shelf, const SimOptions& options) {
  sim::Scenario scenario{
      .name = "four-devices", .title = "A sentence a minute", .lasts = 10 * kj::MINUTES};
  scenario.networks["home"] = "home-wifi";
  for (auto [name, profile]: {std::pair("phone", "phone-flagship"), std::pair("watch", "watch"),
           std::pair("laptop", "laptop"), std::pair("gpubox", "gpubox")})
    scenario.devices.push_back(
        {.name = name, .profile = profile, .at = {"home"}, .admin = scenario.devices.empty()});
  scenario.steps.push_back({.at = 5 * kj::SECONDS,
      .every = 1 * kj::MINUTES,
      .times = 10,
      .what = "dictate",
      .device = "phone",
      .amount = 30,
      .second = 8});
  scenario.expect.allDone = true;
  sim::Run run(scenario, shelf.catalogue(), options.seed);
  return outcomeOf(run, run.go());
}

json manyDevices(const cli::Shelf& shelf, const SimOptions& options) {
  auto wall = wallS();
  auto lasts = static_cast<int64_t>(options.crowdHours * 3'600) * kj::SECONDS;
  auto scenario = crowd(options.devices, lasts);
  Watch watch("crowd");
  sim::Run run(scenario, shelf.catalogue(), options.seed);
  size_t mappingsInStory = 0;  // once: the kernel takes its time to list them
  sim::Run::Watcher watcher = [&](sim::Run& run) {
    watch.look(run);
    if (run.beganAt() != sim::WorldTime::BEGINNING && mappingsInStory == 0)
      mappingsInStory = mappings();
  };
  auto outcome = run.go(watcher);
  auto result = outcomeOf(run, outcome);
  result.erase("times_real");
  result["devices"] = options.devices;
  result["virtual_s"] = secondsOf(lasts);
  result["wall_s"] = wallS() - wall;
  result["rss_mib"] = rssPeakMib();
  result["mappings"] = kj::max(mappingsInStory, mappings());
  result["set_up"] = {{"virtual_s", secondsOf(run.beganAt() - sim::WorldTime::BEGINNING)},
      {"cpu_s", watch.setUpCpuS()}};
  return result;
}

}  // namespace

json measureSim(const SimOptions& options) {
  cli::Shelf shelf(options.data);
  json result;
  result["week"] = inOwnProcess([&]() { return week(shelf, options); });
  result["four_devices"] = inOwnProcess([&]() { return fourDevices(shelf, options); });
  result["crowd"] = inOwnProcess([&]() { return manyDevices(shelf, options); });
  return result;
}

}  // namespace hearth::bench
