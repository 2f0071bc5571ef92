#include "simulator/fleet/sim-folders.h"

#include "simulator/disk/sim-tree-watcher.h"
#include "simulator/disk/sim-tree.h"

#include <kj/debug.h>

namespace hearth::sim {

using storage::FileTree;
using storage::TreeError;

std::expected<SimFolders::Created, std::string> SimFolders::create(
    const std::string& path, const storage::FolderId& id) {
  if (path != PATH || isUnmounted) return std::unexpected("there is no such directory");
  folder = id;
  return Created{kj::heap<SimTree>(image), path};
}

storage::TreeResult<kj::Own<FileTree>> SimFolders::open(
    const std::string&, const storage::FolderId& id) {
  bool isIt = !isUnmounted && folder.map([&](auto& known) { return known == id; }).orDefault(false);
  if (!isIt) return std::unexpected(TreeError::GONE);
  return kj::Own<FileTree>(kj::heap<SimTree>(image));
}

void SimFolders::losePower() {
  image.losePower();
  ++boots;
}

kj::Own<storage::TreeWatcher> SimFolders::watch(const std::string&) {
  return kj::heap<SimTreeWatcher>(image);
}

}  // namespace hearth::sim
