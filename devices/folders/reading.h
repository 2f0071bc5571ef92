#pragma once
// Parts of a folder's files, here or away: from the owner's file where it is here, and else of what another device has
// just those parts that are needed, each verified when it arrives. Nothing of that is kept.

#include "devices/folders/surroundings.h"

namespace hearth::devices {

class FolderReading final {
 public:
  static constexpr uint64_t BYTES_MAX = 4 << 20;                // at a time
  static constexpr size_t AT_ONCE_MAX = 64;                     // reads
  static constexpr kj::Duration PATIENCE = 30 * kj::SECONDS;    // of parts that come slowly
  static constexpr kj::Duration STUCK_AFTER = 3 * kj::SECONDS;  // and that nobody who is here has
  static constexpr kj::Duration LOOKED_EVERY = 100 * kj::MILLISECONDS;

  // All outlive this object.
  FolderReading(FolderSurroundings& around, const storage::folders::Folder& folder, TreeWork& tree)
      : around(around),
        folder(folder),
        tree(tree) {}

  enum class Failure : uint8_t {
    MISSING,    // there is no such file
    CHANGED,    // it is another than that one
    NOWHERE,    // no device that can be reached has it
    TIMED_OUT,  // they give it too slowly, or more is read than may be
    FAILED,     // the disk, or a blob that its author has made wrong
  };

  // Of the file with those bytes that is shown at the path; less only at its end.
  kj::Promise<std::expected<crypto::Buffer, Failure>> read(
      storage::FolderPath path, BlobRef ref, uint64_t offset, uint64_t bytes);

 private:
  FolderSurroundings& around;
  const storage::folders::Folder& folder;
  TreeWork& tree;
  size_t reads = 0;

  kj::Promise<std::expected<crypto::Buffer, Failure>> fetch(
      BlobRef ref, uint64_t offset, size_t bytes);
  kj::Promise<void> seeItStuck(ContentId content);
};

}  // namespace hearth::devices
