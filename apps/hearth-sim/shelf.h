#pragma once
// The shelf that scenarios, profiles and networks stand on: a directory with data/profiles.toml,
// data/networks.toml and scenarios/*.toml.

#include "simulator/story/catalogue.h"
#include "simulator/story/scenario.h"

namespace hearth::cli {

class Shelf final {
 public:
  // Throws one line when something there cannot be read.
  explicit Shelf(std::string directory);

  const sim::Catalogue& catalogue() const { return kinds; }

  // By name, or a path to a .toml file. Throws one line when there is none, or it has a mistake.
  sim::Scenario scenario(const std::string& nameOrPath) const;
  std::vector<std::string> names() const;

  // "all": every short one; else names, separated by commas.
  std::vector<sim::Scenario> choose(const std::string& which) const;

 private:
  std::string directory;
  sim::Catalogue kinds;
};

// A mistake of the caller's, as one line.
struct Complaint {
  int exitCode;
  std::string line;
};

std::string readText(const std::string& path);
void writeText(const std::string& path, const std::string& text);

}  // namespace hearth::cli
