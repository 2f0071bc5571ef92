#include "apps/hearth/editor.h"

#include "apps/hearth/output.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

// Made with mode 0600.
std::string makeFile(const std::string& suffix) {
  auto folder = std::string(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  auto path = folder + "/hearth-edit-" + std::string(CHOSEN, 'X') + suffix;
  auto file = mkstemps(path.data(), static_cast<int>(suffix.size()));
  if (file < 0) throw Failure{FAILED, "no file can be made for the editor in " + folder};
  close(file);
  return path;
}

}  // namespace

EditedByPerson::EditedByPerson(const std::string& text, const std::string& suffix)
    : path(makeFile(suffix)) {
  KJ_ON_SCOPE_FAILURE(if (!isKept) unlink(path.c_str()));
  write(text);
  open();
  read();
}

EditedByPerson::~EditedByPerson() {
  if (!isKept) unlink(path.c_str());
}

const std::string& EditedByPerson::keep() {
  isKept = true;
  return path;
}

// A text that is there in part would be taken for one that was shortened.
void EditedByPerson::write(const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    throw Failure{FAILED, "the file for the editor cannot be written: make room in " + path};
}

// The variable may hold options, as `code --wait`; the path is no part of what the shell reads.
void EditedByPerson::open() {
  auto command = std::string(editorOfPerson()) + " \"$HEARTH_EDITED\"";
  setenv("HEARTH_EDITED", path.c_str(), 1);
  if (std::system(command.c_str()) != 0)
    throw Failure{
        FAILED, "the editor did not end well: nothing is changed; set EDITOR to another one"};
}

void EditedByPerson::read() {
  std::ifstream file(path, std::ios::binary);
  edited = {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.is_open() && !file.bad()) return;
  throw Failure{FAILED,
      "the file that the editor has left cannot be read: nothing is changed; it is " + keep()};
}

}  // namespace hearth::cli
