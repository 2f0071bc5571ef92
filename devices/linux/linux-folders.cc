#include "devices/linux/linux-folders.h"

#include "devices/linux/folder-root.h"
#include "devices/linux/inotify-watcher.h"
#include "devices/linux/linux-file-tree.h"

#include <climits>
#include <cstdlib>
#include <fstream>

namespace hearth::devices {

using storage::TreeError;

namespace {

// Without links; the path itself where there is nothing.
std::string resolved(const std::string& path) {
  char real[PATH_MAX];
  return realpath(path.c_str(), real) == nullptr ? path : real;
}

bool isWithin(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory == "/" ? directory : directory + "/");
}

bool overlaps(const std::string& path, const std::string& home) {
  auto one = resolved(path), other = resolved(home);
  return isWithin(one, other) || isWithin(other, one);
}

}  // namespace

std::expected<FolderSystem::Created, std::string> LinuxFolders::create(
    const std::string& path, const storage::FolderId& id) {
  if (!path.starts_with('/')) return std::unexpected("a folder's path begins at the root");
  if (overlaps(path, home))
    return std::unexpected(path + " is in Hearth's own directory or around it (" + home +
        "): a folder of its own files would change for ever; choose another directory");
  auto marked = markFolder(path, id);
  if (!marked) {
    auto& why = marked.error();
    if (why.error == TreeError::MISSING)
      return std::unexpected(path + " is no directory: make it first (mkdir)");
    if (why.error == TreeError::TAKEN)
      return std::unexpected(
          why.where + " is a folder of Hearth already, and folders do not overlap");
    return std::unexpected(path + ": " + storage::describe(why.error).cStr());
  }
  auto tree = open(*marked, id);
  if (!tree) return std::unexpected(path + ": " + storage::describe(tree.error()).cStr());
  return Created{kj::mv(*tree), kj::mv(*marked)};
}

storage::TreeResult<kj::Own<storage::FileTree>> LinuxFolders::open(
    const std::string& path, const storage::FolderId& id) {
  return LinuxFileTree::open(path, id);
}

// proc(5). Where there is none, nothing is known of it.
std::string LinuxFolders::boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

kj::Own<storage::TreeWatcher> LinuxFolders::watch(const std::string& path) {
  return kj::heap<InotifyWatcher>(port, path);
}

}  // namespace hearth::devices
