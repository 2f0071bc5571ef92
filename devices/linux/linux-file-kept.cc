// What of LinuxFileTree is about what was replaced or removed.
#include "devices/linux/linux-file-tree.h"
#include "devices/linux/open-files.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace hearth::devices {

TreeResult<LinuxFileTree::Shelf> LinuxFileTree::shelfFor(const Visit& visit, Keep keep) {
  auto directory = makeShelves(visit.versions, keep->directory());
  if (!directory) return no(directory.error());
  unsynced.keptChanged(keep->directory());
  return Shelf{kj::mv(*directory), std::string(keep->name())};
}

// The directory below "versions", which is made where it is not.
Opened LinuxFileTree::makeShelves(int versions, const FolderPath& directory) {
  auto opened = openBeneath(calls, versions, directory, O_PATH);
  if (opened || opened.error() != TreeError::MISSING || directory.isFolder()) return opened;
  auto above = makeShelves(versions, directory.directory());
  if (!above) return above;
  auto name = std::string(directory.name());
  if (mkdirat(*above, name.c_str(), 0700) < 0) return no(lastError());  // CHANGED: a file
  unsynced.everything();
  return openIn(*above, name, O_PATH | O_DIRECTORY);
}

TreeResult<std::vector<FileTree::Kept>> LinuxFileTree::kept() {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  auto versions = openIn((*visit)->own, FolderRoot::VERSIONS, O_PATH | O_DIRECTORY);
  std::vector<Kept> all;
  if (!versions && versions.error() == TreeError::MISSING) return all;
  if (!versions) return no(versions.error());
  std::vector<FolderPath> directories{FolderPath()};
  while (!directories.empty()) {
    auto directory = kj::mv(directories.back());
    directories.pop_back();
    auto names = listedIn(*versions, directory, (*visit)->disk);
    if (!names) return no(names.error());
    for (auto& [name, state]: *names) {
      auto path = directory.child(name);
      if (!path) continue;  // not ours
      if (state.kind == FileState::Kind::DIRECTORY) {
        directories.push_back(kj::mv(*path));
      } else {
        all.push_back({kj::mv(*path), state});
      }
    }
  }
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return all;
}

TreeResult<kj::Own<FileTree::Reading>> LinuxFileTree::openKept(const FolderPath& path) {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  auto versions = openIn((*visit)->own, FolderRoot::VERSIONS, O_PATH | O_DIRECTORY);
  if (!versions) return no(versions.error());
  auto directory = openBeneath(calls, *versions, path.directory(), O_PATH);
  if (!directory) return no(directory.error());
  auto opened = openToRead(*directory, std::string(path.name()), (*visit)->disk);
  if (!opened) return no(opened.error());
  return kj::Own<Reading>(kj::mv(*opened));
}

// Directories that are empty then go, too.
TreeResult<void> LinuxFileTree::dropKept(const FolderPath& path) {
  auto visit = root.visit();
  if (!visit) return no(visit.error());
  auto versions = openIn((*visit)->own, FolderRoot::VERSIONS, O_PATH | O_DIRECTORY);
  if (!versions) return no(versions.error());
  int flags = 0;
  for (auto at = path; !at.isFolder(); at = at.directory(), flags = AT_REMOVEDIR) {
    auto directory = openBeneath(calls, *versions, at.directory(), O_PATH);
    if (!directory) return no(directory.error());
    if (unlinkat(*directory, std::string(at.name()).c_str(), flags) == 0) continue;
    if (flags == 0) return no(lastError());
    break;
  }
  return {};
}

}  // namespace hearth::devices
