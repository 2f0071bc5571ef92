#include "apps/hearth-sim/shelf.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hearth::cli {

std::string readText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Complaint{1, path + " cannot be read"};
  return text.str();
}

void writeText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Complaint{1, path + " cannot be written: name another file"};
}

Shelf::Shelf(std::string directoryIn): directory(std::move(directoryIn)) {
  auto parsed = sim::Catalogue::parse(
      readText(directory + "/data/profiles.toml"), readText(directory + "/data/networks.toml"));
  if (!parsed) throw Complaint{1, parsed.error()};
  kinds = std::move(*parsed);
}

sim::Scenario Shelf::scenario(const std::string& nameOrPath) const {
  bool isPath = nameOrPath.ends_with(".toml");
  auto path = isPath ? nameOrPath : directory + "/scenarios/" + nameOrPath + ".toml";
  if (!std::filesystem::exists(path))
    throw Complaint{2, "no scenario is called " + nameOrPath + ": hearth-sim list names them"};
  auto name = std::filesystem::path(path).stem().string();
  auto parsed = sim::parseScenario(name, readText(path));
  if (!parsed) throw Complaint{1, parsed.error()};
  return std::move(*parsed);
}

std::vector<std::string> Shelf::names() const {
  std::vector<std::string> all;
  for (auto& entry: std::filesystem::directory_iterator(directory + "/scenarios")) {
    if (entry.path().extension() == ".toml") all.push_back(entry.path().stem().string());
  }
  std::ranges::sort(all);
  return all;
}

std::vector<sim::Scenario> Shelf::choose(const std::string& which) const {
  std::vector<sim::Scenario> chosen;
  if (which == "all") {
    for (auto& name: names()) {
      auto one = scenario(name);
      if (one.isShort) chosen.push_back(std::move(one));
    }
    return chosen;
  }
  std::istringstream in(which);
  for (std::string name; std::getline(in, name, ',');) chosen.push_back(scenario(name));
  return chosen;
}

}  // namespace hearth::cli
