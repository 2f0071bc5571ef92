#include "simulator/world/log-line.h"

#include <algorithm>
#include <string_view>

namespace hearth::sim {

namespace {

// Of this file's path, what lies before the tree. A compiler cache may have made the paths relative; then
// files are named without their folders.
std::string_view treeFolder() {
  constexpr std::string_view PATH = __FILE__, IN_TREE = "simulator/world/log-line.cc";
  static_assert(PATH.ends_with(IN_TREE));
  return PATH.substr(0, PATH.size() - IN_TREE.size());
}

bool beginsWord(std::string_view line, size_t at) {
  return at == 0 || std::string_view(" =(;").contains(line[at - 1]);
}

bool isPlace(std::string_view line, size_t end) {
  return end + 1 < line.size() && line[end] == ':' && line[end + 1] >= '0' && line[end + 1] <= '9';
}

size_t foldersOf(std::string_view path) {
  auto tree = treeFolder();
  return !tree.empty() && path.starts_with(tree) ? tree.size() : path.rfind('/') + 1;
}

}  // namespace

std::string withoutFolders(const std::string& line) {
  std::string_view rest = line;
  std::string clean;
  while (!rest.empty()) {
    auto end = std::min(rest.find_first_of(": ,;)"), rest.size());
    bool path = rest[0] == '/' && beginsWord(line, line.size() - rest.size()) && isPlace(rest, end);
    auto skipped = path ? foldersOf(rest.substr(0, end)) : 0;
    auto taken = path ? end : 1;
    clean += rest.substr(skipped, taken - skipped);
    rest.remove_prefix(taken);
  }
  return clean;
}

}  // namespace hearth::sim
