#include "apps/hearth/editor.h"

#include "apps/hearth/output.h"

#include <kj/common.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace hearth::cli {

namespace {

constexpr size_t CHOSEN = 6;  // characters of the name, by mkstemps, in place of X

const char* editorOfPerson() {
  for (auto name: {"VISUAL", "EDITOR"}) {
    auto value = getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "vi";
}

}  // namespace

std::string editedByPerson(const std::string& text, const std::string& suffix) {
  auto folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  auto name = std::string(folder) + "/hearth-edit-" + std::string(CHOSEN, 'X') + suffix;
  std::vector<char> path(name.begin(), name.end());
  path.push_back('\0');
  auto file = mkstemps(path.data(), static_cast<int>(suffix.size()));  // mode 0600
  if (file < 0)
    throw Failure{FAILED, "no file can be made for the editor in " + std::string(folder)};
  KJ_DEFER(unlink(path.data()));
  close(file);
  std::ofstream(path.data(), std::ios::binary) << text;
  // The variable may hold options, as `code --wait`; the path is no part of what the shell reads.
  auto command = std::string(editorOfPerson()) + " \"$HEARTH_EDITED\"";
  setenv("HEARTH_EDITED", path.data(), 1);
  auto ended = std::system(command.c_str());
  if (ended != 0)
    throw Failure{
        FAILED, "the editor did not end well: nothing is changed; set EDITOR to another one"};
  std::ifstream edited(path.data(), std::ios::binary);
  return {std::istreambuf_iterator<char>(edited), std::istreambuf_iterator<char>()};
}

}  // namespace hearth::cli
