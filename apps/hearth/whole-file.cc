#include "apps/hearth/whole-file.h"

#include "apps/hearth/output.h"

#include <kj/common.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

void writeInto(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) throw Failure{FAILED, "cannot write " + path + ": is there room, and may you?"};
}

// Of a new file, as the shell's > would make it.
mode_t modeOfNew() {
  auto mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

void writeWhole(const std::string& path, const std::string& content) {
  struct stat there = {};
  bool exists = lstat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode)) return writeInto(path, content);
  auto beside = path + ".XXXXXX";
  auto file = mkstemp(beside.data());
  if (file < 0) throw Failure{FAILED, "cannot write " + path + ": may you write in its folder?"};
  KJ_ON_SCOPE_FAILURE(unlink(beside.c_str()));
  fchmod(file, exists ? there.st_mode & 07777 : modeOfNew());
  close(file);
  writeInto(beside, content);
  if (rename(beside.c_str(), path.c_str()) != 0)
    throw Failure{FAILED, "cannot put what was written in the place of " + path};
}

}  // namespace hearth::cli
