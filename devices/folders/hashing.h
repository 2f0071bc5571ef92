#pragma once
// A file's bytes, read once and step by step: its reference, and of a large one its tree.

#include "storage/blob/cutter.h"
#include "storage/folder/record.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hearth::devices {

class FileHashing final {
 public:
  static constexpr uint64_t STEP_BYTES = 64 << 20;
  static constexpr uint64_t WRITTEN_AT_ONCE = 1 << 20;  // most programs write no more in one piece

  struct Node {
    Digest hash;
    crypto::Buffer encoded;
  };

  // The gear outlives this object.
  explicit FileHashing(const storage::Gear& gear);
  KJ_DISALLOW_COPY_AND_MOVE(FileHashing);

  // Reads on; true when the end was reached and the file is what it was in the beginning.
  // Errors: CHANGED, also while a large file is still being written; those of the tree.
  storage::TreeResult<bool> step(storage::FileTree& tree, const storage::FolderPath& path);

  // Since the last time.
  std::vector<Node> takeNodes() { return std::exchange(nodes, {}); }

  // Requires that the end was reached.
  const storage::PathState& state() const { return found; }
  const storage::FileStamp& stamp() const { return begun.stamp; }
  // Of one that may be merged.
  std::optional<std::string> takeText();
  bool isFresh() const { return isStillFresh; }

 private:
  std::vector<Node> nodes;
  storage::BlobCutter cutter;
  kj::Own<storage::FileTree::Reading> file;
  storage::FileState begun;
  uint64_t at = 0;
  storage::PathState found;
  std::string text;  // as far as it was read, of a file that may be one
  bool isStillFresh = false;
};

}  // namespace hearth::devices
