#pragma once
// Which files of a folder are here and stay here: the answer to another device that is about to let its own copy go.
// Read just now, on the disk, and not to be freed here at the same time: of two devices that ask each other, none is
// told yes by one that is freeing the file itself.

#include "devices/folders/freeing.h"

namespace hearth::devices {

class FolderProving final {
 public:
  // All outlive this object.
  FolderProving(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree,
      const FolderFreeing& freeing)
      : around(around),
        folder(folder),
        tree(tree),
        freeing(freeing) {}

  struct Asked {
    storage::FolderPath path;
    BlobRef ref;
  };

  // One answer each. Reads all of their bytes.
  kj::Promise<std::vector<bool>> keeps(std::vector<Asked> files);

 private:
  using Locals = std::vector<kj::Maybe<storage::folders::Local>>;

  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  const FolderFreeing& freeing;

  kj::Promise<Locals> known(const std::vector<Asked>& files);
  kj::Promise<bool> isThere(
      const Asked& file, const storage::folders::Local& local, const storage::Gear& gear);
};

}  // namespace hearth::devices
