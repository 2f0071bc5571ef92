#pragma once
// The one directory of a device that can become a folder, and its files, which outlive processes.

#include "devices/folders/folder-system.h"
#include "simulator/disk/tree-owner.h"

namespace hearth::sim {

class SimFolders final: public devices::FolderSystem {
 public:
  static constexpr const char* PATH = "/files";

  explicit SimFolders(Chance chance): image(chance) {}

  std::expected<Created, std::string> create(
      const std::string& path, const storage::FolderId& id) override;
  storage::TreeResult<kj::Own<storage::FileTree>> open(
      const std::string& path, const storage::FolderId& id) override;
  std::string boot() override { return std::to_string(boots); }
  kj::Own<storage::TreeWatcher> watch(const std::string& path) override;

  void losePower();

  TreeImage image;
  TreeOwner owner{image};
  bool isUnmounted = false;  // for whoever opens it anew

 private:
  kj::Maybe<storage::FolderId> folder;
  uint64_t boots = 1;
};

}  // namespace hearth::sim
