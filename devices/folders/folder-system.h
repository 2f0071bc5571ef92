#pragma once
// How this device reaches directories that its owner has made folders (a seam, DESIGN §3).

#include "storage/folder/file-tree.h"
#include "storage/folder/tree-watcher.h"

#include <string>

namespace hearth::devices {

class FolderSystem {
 public:
  // A directory that becomes a folder, and where it is without links.
  struct Created {
    kj::Own<storage::FileTree> tree;
    std::string path;
  };
  // Why not: a line for people.
  virtual std::expected<Created, std::string> create(
      const std::string& path, const storage::FolderId& id) = 0;

  // One that was created before. Errors: GONE.
  virtual storage::TreeResult<kj::Own<storage::FileTree>> open(
      const std::string& path, const storage::FolderId& id) = 0;

  // Another text each time that the machine has begun anew, which may have lost what programs had written shortly before.
  // Empty: it cannot be known.
  virtual std::string boot() = 0;

  // On the loop.
  virtual kj::Own<storage::TreeWatcher> watch(const std::string& path) = 0;
};

}  // namespace hearth::devices
