// hearth-vectors: replays vector files and says how many passed. One source file per subcommand.

#include "apps/hearth-vectors/checks.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace {

using hearth::vectors::Tally;

struct Subcommand {
  const char* name;
  const char* help;
  Tally (*check)(const nlohmann::json&);
};

constexpr Subcommand SUBCOMMANDS[] = {
    {"noise", "Noise handshakes: cacophony.json, hybrid.json", &hearth::vectors::checkNoise},
    {"answers", "keys, ids, records: known-answers.json", &hearth::vectors::checkAnswers},
    {"wycheproof", "primitives: a file of project Wycheproof", &hearth::vectors::checkWycheproof},
    {"membership", "membership histories: histories.json", &hearth::vectors::checkMembership},
};

int run(const Subcommand& subcommand, const std::string& path) {
  std::ifstream stream(path);
  auto file = nlohmann::json::parse(stream);
  auto tally = subcommand.check(file);
  std::cout << "{\"passed\":" << tally.passed << ",\"failed\":" << tally.failed
            << ",\"skipped\":" << tally.skipped << "}" << std::endl;
  return tally.failed > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Replays vector files; the last line counts. Exit code 1 when any failed.");
  app.require_subcommand(1);
  std::string path;
  for (auto& each: SUBCOMMANDS) {
    app.add_subcommand(each.name, each.help)
        ->add_option("FILE", path, "the vector file")
        ->required()
        ->check(CLI::ExistingFile);
  }
  CLI11_PARSE(app, argc, argv);
  try {
    for (auto& each: SUBCOMMANDS) {
      if (app.got_subcommand(each.name)) return run(each, path);
    }
  } catch (const std::exception& e) {
    std::cerr << "hearth-vectors: " << path << " is not a file of this kind: " << e.what() << "\n";
  } catch (const kj::Exception& e) {
    std::cerr << "hearth-vectors: " << kj::str(e).cStr() << "\n";
  }
  return 2;
}
