#pragma once
// Parts of blobs that lie in the owner's files: read from there when another device asks, and only while the file is what
// it was when it was looked at.

#include "devices/data/blob-place.h"
#include "devices/folders/tree-work.h"
#include "storage/sql/store.h"

#include <map>

namespace hearth::devices {

class FolderSource final: public BlobPlace {
 public:
  // The store outlives this object.
  explicit FolderSource(storage::Store& store): store(store) {}

  // The tree outlives its being here.
  void add(int64_t folder, const crypto::CollectionId& collection, TreeWork& tree) {
    folders.insert_or_assign(folder, Open{collection, &tree});
  }
  void remove(int64_t folder) { folders.erase(folder); }

  kj::Promise<Answers> parts(std::vector<storage::AskedPart> asked, size_t mostBytes) override;

 private:
  struct Open {
    crypto::CollectionId collection;
    TreeWork* tree;
  };

  storage::Store& store;
  std::map<int64_t, Open> folders;
};

}  // namespace hearth::devices
