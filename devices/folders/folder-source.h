#pragma once
// Parts of blobs that lie in the owner's files: read from there when another device asks, and only while the file is what
// it was when it was looked at.

#include "devices/data/blob-place.h"
#include "devices/folders/tree-work.h"
#include "storage/sql/store.h"

#include <map>
#include <memory>

namespace hearth::devices {

class FolderSource final: public BlobPlace {
 public:
  // The store outlives this object.
  explicit FolderSource(storage::Store& store): store(store) {}

  void add(int64_t folder, const crypto::CollectionId& collection, std::shared_ptr<TreeWork> tree) {
    folders.insert_or_assign(folder, Open{collection, kj::mv(tree)});
  }
  void remove(int64_t folder) { folders.erase(folder); }

  kj::Promise<Answers> parts(std::vector<storage::AskedPart> asked, size_t mostBytes) override;

 private:
  struct Open {
    crypto::CollectionId collection;
    std::shared_ptr<TreeWork> tree;  // which may be at work when the folder is not here any more
  };

  storage::Store& store;
  std::map<int64_t, Open> folders;
};

}  // namespace hearth::devices
