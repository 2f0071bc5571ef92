// place: the planner alone, on an instance file.

#include "apps/hearth/commands.h"

#include <fstream>
#include <iostream>
#include <sstream>

namespace hearth::cli {

int place(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    std::ifstream file(path);
    if (!file) throw Failure{USAGE, path + " cannot be opened: check the name"};
    text << file.rdbuf();
  }
  throw Failure{FAILED, "the planner cannot place instances yet"};
}

}  // namespace hearth::cli
