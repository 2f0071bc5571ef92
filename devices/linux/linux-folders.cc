#include "devices/linux/linux-folders.h"

#include "devices/linux/folder-root.h"
#include "devices/linux/inotify-watcher.h"
#include "devices/linux/linux-file-tree.h"

namespace hearth::devices {

using storage::TreeError;

std::expected<FolderSystem::Created, std::string> LinuxFolders::create(
    const std::string& path, const storage::FolderId& id) {
  if (!path.starts_with('/')) return std::unexpected("a folder's path begins at the root");
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

kj::Own<storage::TreeWatcher> LinuxFolders::watch(const std::string& path) {
  return kj::heap<InotifyWatcher>(port, path);
}

}  // namespace hearth::devices
