// place: the planner alone, on an instance file.

#include "apps/hearth/commands.h"
#include "router/place/instance.h"

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
  auto answer = router::placeInstance(text.str(), kj::systemPreciseMonotonicClock());
  if (!answer) {
    bool infeasible = answer.error().code == Errc::QUOTA_EXCEEDED;
    throw Failure{infeasible ? FAILED : USAGE, answer.error().because.cStr()};
  }
  std::cout << *answer << std::endl;
  return DONE;
}

}  // namespace hearth::cli
