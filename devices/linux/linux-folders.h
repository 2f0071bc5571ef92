#pragma once
// Folders on Linux: their trees (linux-file-tree.h) and what watches them (inotify-watcher.h).

#include "core/loop/uv-event-port.h"
#include "devices/folders/folder-system.h"

namespace hearth::devices {

class LinuxFolders final: public FolderSystem {
 public:
  // The port outlives the folders. `home` is Hearth's own directory: no folder is in it or around it.
  LinuxFolders(UvEventPort& port, std::string home): port(port), home(kj::mv(home)) {}

  std::expected<Created, std::string> create(
      const std::string& path, const storage::FolderId& id) override;
  storage::TreeResult<kj::Own<storage::FileTree>> open(
      const std::string& path, const storage::FolderId& id) override;
  std::string boot() override;
  kj::Own<storage::TreeWatcher> watch(const std::string& path) override;

 private:
  UvEventPort& port;
  std::string home;
};

}  // namespace hearth::devices
