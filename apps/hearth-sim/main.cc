// hearth-sim: lives of many devices in seconds (docs/SIMULATOR.md).

#include "apps/hearth-sim/shelf.h"
#include "apps/hearth-sim/shrink.h"
#include "apps/hearth-sim/swarm.h"
#include "simulator/report/live-facts.h"
#include "simulator/report/page.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using namespace hearth;
using namespace hearth::cli;
using nlohmann::json;

struct Options {
  std::string data = HEARTH_SIM_DATA;
  std::string scenario = "all", seeds, trace, out;
  uint64_t seed = 1;
  unsigned jobs = 0;
  bool asJson = false, spread = false, keepGoing = false, watch = false;
};

std::pair<uint64_t, uint64_t> rangeOf(const Options& options) {
  if (options.seeds.empty()) return {options.seed, options.seed};
  auto dots = options.seeds.find("..");
  try {
    auto first = std::stoull(options.seeds.substr(0, dots));
    auto last = dots == std::string::npos ? first : std::stoull(options.seeds.substr(dots + 2));
    if (first <= last) return {first, last};
  } catch (const std::exception&) {}
  throw Complaint{2, "--seeds takes A..B, as in 1..1000"};
}

json summary(const std::string& scenario, const std::vector<SwarmResult>& results, double wallS) {
  sim::Fingerprint all;
  double virtualS = 0, cpuS = 0;
  size_t violations = 0;
  std::map<std::string, uint64_t> effects;
  for (auto& result: results) {
    all.add(result.fingerprint);
    virtualS += result.virtualS;
    cpuS += result.cpuS;
    violations += result.violations.size();
    for (auto& [effect, times]: result.effects) effects[effect] += times;
  }
  char print[17];
  snprintf(print, sizeof(print), "%016llx", static_cast<unsigned long long>(all.value()));
  return {{"scenario", scenario}, {"seeds", results.size()}, {"violations", violations},
      {"fingerprint", print}, {"virtual_s", virtualS}, {"wall_s", wallS}, {"cpu_s", cpuS},
      {"effects", effects}};
}

void showViolations(const SwarmResult& result) {
  for (auto& line: result.violations)
    std::cerr << result.scenario << " " << result.seed << ": " << line << "\n";
  std::cerr << "replay: hearth-sim replay " << result.scenario << " " << result.seed << std::endl;
}

std::string lineOf(const sim::Run& run, const sim::HistoryEvent& event) {
  auto ms = (event.at - sim::WorldTime::BEGINNING) / kj::MILLISECONDS;
  char when[32];
  snprintf(when, sizeof(when), "%10.3f", static_cast<double>(ms) / 1'000);
  auto who = event.device < 0 ? std::string("-")
                              : const_cast<sim::Run&>(run)
                                    .world.device(static_cast<sim::DeviceIndex>(event.device))
                                    .called();
  return std::string(when) + " " + who + " " + event.kind + ": " + event.text;
}

void report(const json& result, bool asJson) {
  if (asJson) {
    std::cout << result.dump() << "\n";
    return;
  }
  std::cout << result["scenario"].get<std::string>() << ": " << result["seeds"] << " runs, "
            << result["violations"] << " violations, fingerprint "
            << result["fingerprint"].get<std::string>() << ", " << result["virtual_s"].get<double>()
            << " virtual s in " << result["cpu_s"].get<double>() << " CPU s\n";
  for (auto& [effect, times]: result["effects"].items())
    std::cout << "  " << effect << " " << times << "\n";
}

int list(const Options& options) {
  Shelf shelf(options.data);
  for (auto& name: shelf.names()) {
    auto scenario = shelf.scenario(name);
    if (options.asJson) {
      std::cout << json{{"scenario", name}, {"title", scenario.title}, {"short", scenario.isShort},
                       {"devices", scenario.devices.size()}}
                       .dump()
                << "\n";
    } else {
      std::cout << name << (scenario.isShort ? "" : " (long)") << "\n    " << scenario.title
                << "\n";
    }
  }
  return 0;
}

double secondsNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The terminal's view while one world runs.
class Watching {
 public:
  Watching(sim::World& world, const std::string& title)
      : out(STDERR_FILENO),
        view(out,
            {.isTerminal = isatty(STDERR_FILENO) != 0, .colours = getenv("NO_COLOR") == nullptr}),
        facts(world, title),
        began(secondsNow()) {}

  void look() { view.show(facts.status(secondsNow() - began)); }
  void finish() { view.finish(facts.status(secondsNow() - began)); }

 private:
  kj::FdOutputStream out;
  sim::LiveView view;
  sim::LiveFacts facts;
  double began;
};

sim::Outcome go(sim::Run& run, bool watch) {
  if (!watch) return run.go();
  Watching watching(run.world, run.scenario.title);
  sim::Run::Watcher watcher = [&](sim::Run&) { watching.look(); };
  auto outcome = run.go(watcher);
  watching.finish();
  return outcome;
}

// Runs in this process, one after another; the last one's events may be shown or kept.
int run(const Options& options, bool showEvents) {
  Shelf shelf(options.data);
  auto scenario = shelf.scenario(options.scenario);
  auto [first, last] = rangeOf(options);
  auto began = secondsNow();
  std::vector<SwarmResult> results;
  size_t violations = 0;
  for (auto seed = first; seed <= last; ++seed) {
    sim::Run one(scenario, shelf.catalogue(), seed);
    results.push_back(resultOf(go(one, options.watch)));
    violations += results.back().violations.size();
    std::string trace;
    if (showEvents || !options.trace.empty()) {
      for (auto& event: one.world.history.all()) trace += lineOf(one, event) + "\n";
    }
    if (showEvents) std::cout << trace;
    if (!options.trace.empty()) writeText(options.trace, trace);
    if (!results.back().violations.empty()) showViolations(results.back());
  }
  report(summary(scenario.name, results, secondsNow() - began), options.asJson);
  return violations == 0 ? 0 : 1;
}

std::vector<SwarmRun> plan(const std::vector<sim::Scenario>& scenarios, const Options& options) {
  std::vector<SwarmRun> runs;
  auto [first, last] = rangeOf(options);
  for (auto seed = first; seed <= last; ++seed) {
    if (options.spread) {
      runs.push_back({&scenarios[(seed - first) % scenarios.size()], seed});
      continue;
    }
    for (auto& scenario: scenarios) runs.push_back({&scenario, seed});
  }
  return runs;
}

// A swarm that is large enough must have seen what each scenario says that it brings about.
size_t missingEffects(
    const std::vector<sim::Scenario>& scenarios, const std::vector<SwarmResult>& results) {
  constexpr size_t ENOUGH = 20;
  size_t missing = 0;
  for (auto& scenario: scenarios) {
    std::map<std::string, uint64_t> seen;
    size_t runs = 0;
    for (auto& result: results) {
      if (result.scenario != scenario.name) continue;
      ++runs;
      for (auto& [effect, times]: result.effects) seen[effect] += times;
    }
    for (auto& effect: scenario.expect.comes) {
      if (runs < ENOUGH || seen[effect] > 0) continue;
      ++missing;
      std::cerr << scenario.name << ": '" << effect << "' never came in " << runs << " runs\n";
    }
  }
  return missing;
}

int runSwarm(const Options& options) {
  Shelf shelf(options.data);
  auto scenarios = shelf.choose(options.scenario);
  if (scenarios.empty()) throw Complaint{2, "there is no scenario to run"};
  auto runs = plan(scenarios, options);
  auto jobs = options.jobs > 0 ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  auto began = secondsNow();
  size_t done = 0, bad = 0;
  bool terminal = isatty(STDERR_FILENO);
  auto shown = began;
  auto results = swarm(runs, shelf.catalogue(), jobs, [&](const SwarmResult& result) {
    ++done;
    if (!result.violations.empty()) {
      ++bad;
      if (terminal) std::cerr << "\r";
      showViolations(result);
    }
    if (terminal && secondsNow() - shown > 0.2) {
      shown = secondsNow();
      auto left =
          (shown - began) / static_cast<double>(done) * static_cast<double>(runs.size() - done);
      std::cerr << "\r" << done << " of " << runs.size() << " runs, " << bad << " bad, "
                << static_cast<int>(left) << " s left   " << std::flush;
    }
    return bad == 0 || options.keepGoing;
  });
  if (terminal) std::cerr << "\n";
  bool whole = results.size() == runs.size();
  auto missing = whole ? missingEffects(scenarios, results) : 0;
  auto result = summary(options.scenario, results, secondsNow() - began);
  result["violations"] = result["violations"].get<size_t>() + missing;
  report(result, options.asJson);
  return bad == 0 && missing == 0 ? 0 : 1;
}

int explain(const Options& options) {
  Shelf shelf(options.data);
  auto scenario = shelf.scenario(options.scenario);
  sim::Run one(scenario, shelf.catalogue(), options.seed);
  auto outcome = go(one, options.watch);
  auto unlessNever = [](kj::TimePoint at) -> kj::Maybe<kj::TimePoint> {
    if (at == sim::WorldTime::BEGINNING) return nullptr;
    return at;
  };
  auto seed = std::to_string(options.seed);
  auto page = sim::explainPage({one.world.history, outcome, sim::pageDevices(one.world),
      scenario.title, scenario.story, "hearth-sim replay " + scenario.name + " " + seed,
      unlessNever(one.beganAt()), unlessNever(one.healedAt())});
  auto path = options.out.empty() ? "explain-" + scenario.name + "-" + seed + ".html" : options.out;
  writeText(path, std::string(page.cStr(), page.size()));
  auto violations = outcome.violations.size();
  if (options.asJson) {
    std::cout << json{{"page", path}, {"violations", violations}}.dump() << "\n";
  } else {
    std::cout << path << ": " << violations << " violations; open it in a browser\n";
  }
  return 0;
}

int runShrink(const Options& options) {
  Shelf shelf(options.data);
  auto scenario = shelf.scenario(options.scenario);
  auto shrunk = shrink(scenario, shelf.catalogue(), options.seed,
      [](const std::string& line) { std::cerr << line << std::endl; });
  if (shrunk.checker.empty())
    throw Complaint{1, "this seed does not fail: there is nothing to shrink"};
  std::cerr << shrunk.runs << " runs; still fails: " << shrunk.checker << "\n";
  auto text = sim::writeScenario(shrunk.scenario);
  if (options.out.empty()) {
    std::cout << text;
  } else {
    writeText(options.out, text);
    std::cerr << "replay: hearth-sim replay " << options.out << " " << options.seed << "\n";
  }
  return 0;
}

CLI::App* command(CLI::App& app, Options& options, const char* name, const char* help) {
  auto* sub = app.add_subcommand(name, help);
  sub->add_option("--data", options.data, "the folder of data/ and scenarios/");
  sub->add_flag("--json", options.asJson, "one JSON object as the last line");
  return sub;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Whole lives of devices, simulated: one seed replays everything.");
  app.require_subcommand(1);
  Options options;
  command(app, options, "list", "the scenarios");
  auto* runs = command(app, options, "run", "runs one scenario");
  runs->add_option("SCENARIO", options.scenario, "a name, or a .toml file")->required();
  runs->add_option("--seed", options.seed, "the universe");
  runs->add_option("--seeds", options.seeds, "A..B: several, one after another");
  runs->add_flag("--watch", options.watch, "show the devices while time passes");
  runs->add_option("--trace", options.trace, "write the events of the (last) run to this file");
  auto* replays = command(app, options, "replay", "runs one scenario and shows all that happens");
  replays->add_option("SCENARIO", options.scenario)->required();
  replays->add_option("SEED", options.seed)->required();
  auto* explains =
      command(app, options, "explain", "writes one HTML page about a run: who, when, why");
  explains->add_option("SCENARIO", options.scenario)->required();
  explains->add_option("SEED", options.seed)->required();
  explains->add_option("--out", options.out, "the page (default: explain-SCENARIO-SEED.html)");
  explains->add_flag("--watch", options.watch, "show the devices while time passes");
  auto* shrinks = command(app, options, "shrink", "reduces a failing scenario to a small one");
  shrinks->add_option("SCENARIO", options.scenario)->required();
  shrinks->add_option("SEED", options.seed)->required();
  shrinks->add_option("--out", options.out, "write the small scenario to this file");
  auto* swarms = command(app, options, "swarm", "runs many seeds in several processes");
  swarms->add_option("--scenario", options.scenario, "all (the short ones), or names, by commas");
  swarms->add_option("--seeds", options.seeds, "A..B")->required();
  swarms->add_option("--jobs", options.jobs, "processes (default: one a core)");
  swarms->add_flag("--spread", options.spread, "each seed on one scenario, in turn, not on all");
  swarms->add_flag("--keep-going", options.keepGoing, "do not stop at the first violation");
  CLI11_PARSE(app, argc, argv);
  try {
    if (app.got_subcommand("list")) return list(options);
    if (app.got_subcommand("run")) return run(options, false);
    if (app.got_subcommand("replay")) return run(options, true);
    if (app.got_subcommand("explain")) return explain(options);
    if (app.got_subcommand("shrink")) return runShrink(options);
    return runSwarm(options);
  } catch (const Complaint& complaint) {
    std::cerr << "hearth-sim: " << complaint.line << "\n";
    return complaint.exitCode;
  } catch (const kj::Exception& e) {
    std::cerr << "hearth-sim: " << e.getDescription().cStr() << "\n";
    return 1;
  }
}
