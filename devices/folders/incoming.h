#pragma once
// Files of other devices on their way into a folder. What lies here already is taken from there: a file with the same
// bytes, chunks of files that were looked at, and what an earlier try has left behind. Small files wait in memory until
// they are placed with others, large ones are staged as they come.

#include "devices/data/blob-place.h"
#include "devices/folders/tree-work.h"
#include "storage/sql/store.h"
#include "storage/tables/folders.h"

#include <memory>

namespace hearth::devices {

class FolderIncoming final: private BlobTarget {
 public:
  // All outlive this object.
  FolderIncoming(storage::Store& store, BlobFetching& exchange, TreeWork& tree, int64_t folder,
      const crypto::CollectionId& collection)
      : store(store),
        exchange(exchange),
        tree(tree),
        folder(folder),
        collection(collection) {}

  // A file whose bytes are here.
  struct Arrived {
    BlobRef ref;
    crypto::Buffer small;  // of a file of one chunk; a large one is staged under stagedName()
  };

  // Resolves when all bytes of the file are here. One at a time of a blob.
  // Errors: those of BlobFetching::fetch.
  kj::Promise<Result<Arrived>> fetch(BlobRef ref, uint32_t need);
  bool isFetching(const ContentId& content) const { return wanted.contains(content); }
  static std::string stagedName(const BlobRef& ref);

  uint64_t receivedBytes() const { return received; }  // so far, from other devices

 private:
  struct Wanted {
    BlobRef ref;
    kj::Own<storage::FileTree::Staged> staged;  // of a large one; used on the executor
    crypto::Buffer small;
    bool wasBegun = false;  // by a fetch before: some of it may be there
  };
  using Shared = std::shared_ptr<Wanted>;

  storage::Store& store;
  BlobFetching& exchange;
  TreeWork& tree;
  int64_t folder;
  crypto::CollectionId collection;
  std::map<ContentId, Shared> wanted;
  uint64_t received = 0;

  kj::Promise<Looked> look(std::vector<WantedPart> parts) override;
  kj::Promise<void> keep(std::vector<BlobTarget::Arrived> parts) override;
};

// What is at that path is about to be written down: the chunks of a large file are found there from now on, instead of
// those that the row says of before. Requires that its nodes are here.
void placeChunks(storage::Database& db, int64_t folder, const storage::folders::Local& local);
void forgetChunks(storage::Database& db, int64_t folder, const storage::FolderPath& path);

}  // namespace hearth::devices
