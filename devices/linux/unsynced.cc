#include "devices/linux/unsynced.h"

#include <fcntl.h>
#include <unistd.h>

namespace hearth::devices {

namespace {

bool syncOpened(const Opened& opened) { return opened && fsync(opened->get()) == 0; }

}  // namespace

TreeResult<void> Unsynced::sync(KernelCalls& calls, const FolderRoot::Visit& visit) {
  bool isAny = isMuch || !files.empty() || !directories.empty() || !keptDirectories.empty();
  if (!isAny) return {};
  // What is no longer where it was, or fails, is left to the disk as a whole, which tells of errors, too.
  if (isMuch || !syncOneByOne(calls, visit)) {
    auto own = openIn(visit.own, ".", O_RDONLY | O_DIRECTORY);
    if (!own) return no(own.error());
    if (syncfs(*own) < 0) return no(lastError());
  }
  files.clear();
  directories.clear();
  keptDirectories.clear();
  isMuch = false;
  return {};
}

// Files before directories: a name is not durable before what it names.
bool Unsynced::syncOneByOne(KernelCalls& calls, const FolderRoot::Visit& visit) {
  auto stagedDirectory = openIn(visit.own, FolderRoot::STAGED, O_PATH | O_DIRECTORY);
  if (!stagedDirectory) return false;
  for (auto& name: files) {
    if (!syncOpened(openIn(*stagedDirectory, name, O_RDONLY | O_NONBLOCK))) return false;
  }
  for (auto& directory: directories) {
    if (!syncOpened(openBeneath(calls, visit.folder, directory, O_RDONLY))) return false;
  }
  if (keptDirectories.empty()) return true;
  auto versions = openIn(visit.own, FolderRoot::VERSIONS, O_PATH | O_DIRECTORY);
  if (!versions) return false;
  for (auto& directory: keptDirectories) {
    if (!syncOpened(openBeneath(calls, *versions, directory, O_RDONLY))) return false;
  }
  return true;
}

}  // namespace hearth::devices
