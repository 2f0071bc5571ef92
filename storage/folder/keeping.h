#pragma once
// Which of a file's former states are kept, and what they are called. What was replaced or removed lies below the
// folder's own directory, under the path that it had and a name that says when that was:
//
//   dir/report.txt   at 18:30:12 (UTC) on 26 November 2026   dir/report~20261126-183012-a1b2c3.txt
//
// The last six digits tell two of one second apart.

#include "storage/folder/file-tree.h"

#include <kj/time.h>

namespace hearth::storage {

struct KeptName {
  static constexpr uint32_t TAG_MAX = 0xffffff;

  FolderPath of;       // what it was; its name may be shortened where it was very long
  int64_t whenMs = 0;  // since 1970, in whole seconds; from then to the year 9999
  uint32_t tag = 0;

  bool operator==(const KeptName&) const = default;
};

// Requires a path of one name or more. Where the whole would be too long for a path it is the name alone.
FolderPath keptPath(const KeptName& name);
// None for names that are not Hearth's.
kj::Maybe<KeptName> parseKept(const FolderPath& path);

struct KeptVersion {
  FolderPath path;  // as it is kept
  FolderPath of;
  int64_t whenMs = 0;
  uint64_t bytes = 0;
};
// What is under a name that is not Hearth's is there since it was written, and a version of itself.
std::vector<KeptVersion> versionsOf(const std::vector<FileTree::Kept>& kept);

struct KeepingPolicy {
  kj::Duration all = 1 * kj::DAYS;         // every version that is younger
  kj::Duration daily = 30 * kj::DAYS;      // the last of each day (UTC) that is younger
  kj::Duration weekly = 365 * kj::DAYS;    // the last of each seven days; none that is older
  uint32_t shareOfRoomPermille = 100;      // of what were free without them
  uint64_t bytesMax = uint64_t{64} << 30;  // in all
};

// What to drop now, in this order. `roomBytes`: free on the disk; `neededBytes`: that shall be. For room the old and the
// large go first: by the product of age and size. What is from the future is new: a clock was wrong. Ages are by the
// clock that gave the names.
std::vector<FolderPath> toDrop(const KeepingPolicy& policy, std::vector<KeptVersion> versions,
    int64_t nowMs, uint64_t roomBytes, uint64_t neededBytes = 0);

}  // namespace hearth::storage
