// hearth-bench: figures measured on this machine, in this run (DESIGN §12). One source file per WHAT.

#include "apps/hearth-sim/shelf.h"
#include "bench/membership.h"
#include "bench/sim.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <iostream>

namespace {

using namespace hearth;
using nlohmann::json;

// For people: one figure a line.
void show(const std::string& name, const json& value) {
  if (!value.is_object()) {
    std::cout << name << " " << value << "\n";
    return;
  }
  for (auto& [key, inner]: value.items()) show(name.empty() ? key : name + "." + key, inner);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures. --json: one object, as the last line.");
  app.require_subcommand(1);
  bool asJson = false;
  bench::SimOptions options;
  bench::MembershipOptions membershipOptions;
  auto membership = app.add_subcommand("membership", "a log of ops, resolved from nothing");
  membership->add_flag("--json", asJson, "one object, as the last line");
  membership->add_option("--ops", membershipOptions.ops, "in the log")
      ->check(CLI::Range(10, 16'000));
  auto sim = app.add_subcommand("sim", "how fast simulated time passes, and how many devices fit");
  sim->add_flag("--json", asJson, "one object, as the last line");
  sim->add_option("--seed", options.seed, "of every world");
  sim->add_option("--days", options.days, "of the week that are lived")
      ->check(CLI::Range(0.01, 7.0));
  sim->add_option("--devices", options.devices, "of the crowd")->check(CLI::Range(2, 2'000));
  sim->add_option("--crowd-hours", options.crowdHours, "that the crowd lives")
      ->check(CLI::Range(0.1, 24.0));
  sim->add_option("--data", options.data, "directory with profiles, networks and scenarios")
      ->check(CLI::ExistingDirectory);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    auto result = membership->parsed() ? bench::measureMembership(membershipOptions)
                                       : bench::measureSim(options);
    if (asJson) {
      std::cout << result << std::endl;
    } else {
      show("", result);
    }
    return 0;
  } catch (const cli::Complaint& e) {
    std::cerr << "hearth-bench: " << e.line << "\n";
  } catch (const kj::Exception& e) {
    std::cerr << "hearth-bench: " << kj::str(e).cStr() << "\n";
  }
  return 1;
}
