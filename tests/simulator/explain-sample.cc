// Runs a scenario and writes its page, with a violation that nobody has committed: a sound tree has
// none to show. For tests/simulator/explain-screenshot.
//   explain-sample SCENARIO SEED OUT [EVENTS]     EVENTS: so many invented ones besides

#include "simulator/report/page.h"
#include "simulator/story/run.h"

#include <fstream>
#include <iostream>
#include <sstream>

namespace hearth::sim {
namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Shortly after the last fault that had the time to do harm before the story ended.
void plant(const Run& run, Outcome& outcome) {
  Violation planted{run.beganAt(), 0, "exactly-once",
      "word 17 of dictation 2 came twice: 'harbour' (planted by this test)"};
  for (auto& event: run.world.history.all()) {
    if (event.kind == "fault" && event.device >= 0 && event.at < run.healedAt() - 5 * kj::SECONDS) {
      planted.at = event.at + 1'400 * kj::MILLISECONDS;
      planted.device = event.device;
    }
  }
  outcome.violations.push_back(planted);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::string folder = HEARTH_SOURCE_DIR "/simulator/";
  auto catalogue =
      Catalogue::parse(read(folder + "data/profiles.toml"), read(folder + "data/networks.toml"));
  auto scenario = parseScenario(argv[1], read(folder + "scenarios/" + argv[1] + ".toml"));
  if (!catalogue || !scenario) {
    std::cerr << (catalogue ? scenario.error() : catalogue.error()) << "\n";
    return 1;
  }
  Run run(*scenario, *catalogue, std::stoull(argv[2]));
  int invented = argc > 4 ? std::stoi(argv[4]) : 0;
  Run::Watcher watch = [&](Run&) {
    for (int i = 0; i < invented / 40; ++i)
      run.world.history.add(i % 6, i % 3 ? "trace" : "log", "invented " + std::to_string(i % 500));
  };
  auto outcome = run.go(watch);
  plant(run, outcome);
  auto replay = std::string("hearth-sim replay ") + argv[1] + " " + argv[2];
  auto page = explainPage({run.world.history, outcome, pageDevices(run.world), scenario->title,
      scenario->story, replay, run.beganAt(), run.healedAt()});
  std::ofstream(argv[3], std::ios::binary).write(page.begin(), static_cast<long>(page.size()));
  return 0;
}

}  // namespace
}  // namespace hearth::sim

int main(int argc, char** argv) { return hearth::sim::main(argc, argv); }
