#pragma once
// What all devices have made of the paths of a folder, as far as the operation log has come here: of each path the
// versions that none has replaced. Where there are several, one is shown, the same one on every device, and the others
// are shown beside it under names of their own. A path with something in it is a directory, whatever was said of it.

#include "storage/tables/folders.h"

namespace hearth::storage::folder_versions {

// Of one path, the latest: more stand side by side only where somebody writes them to do harm.
constexpr size_t VERSIONS_MAX = 1'024;
constexpr size_t BESIDE_MAX = 64;  // of those that are kept under names of their own

struct Version {
  RecordName name;
  uint64_t time = 0;  // of its entry
  PathState state;

  // Nobody has said that it is a directory, but there is something in it.
  bool isImplied() const { return name == RecordName(); }

  bool operator==(const Version&) const = default;
};

// Under which name a version of `path` is kept beside the one that is shown: "report (conflict 2026-11-26 183012 1f3a9c02).txt".
FolderPath besideName(const FolderPath& path, const Version& version);

// An entry's records, in a transaction; again and again harmless, and in any order. Paths whose shown version is not
// what lies there by what this device knows are pending from then on.
void apply(Database& db, int64_t folder, const RecordName& first, uint64_t time,
    const std::vector<FolderRecord>& records);

// What shall lie at the path; none where nothing ever did.
kj::Maybe<Version> shown(Database& db, int64_t folder, const FolderPath& path);
// Whether that file shall be beside the path, and is not there yet.
bool isYetToBeBeside(Database& db, int64_t folder, const FolderPath& path, const PathState& state);
// All that nobody has replaced, in the order in which they would be shown.
std::vector<Version> live(Database& db, int64_t folder, const FolderPath& path);

// Paths whose files have to be made what is shown, without those that are away; those that come first in order of paths, or last.
enum class Order : uint8_t { FORWARDS, BACKWARDS };
std::vector<FolderPath> pending(
    Database& db, int64_t folder, Order order, const FolderPath& beyond, size_t most);
// The version of a pending path that is like what was found there, and may have been put there: this device ended, or its
// disk failed, before it had written that down, and something newer may have come since.
kj::Maybe<Version> placed(
    Database& db, int64_t folder, const FolderPath& path, const PathState& found);
// Pending or not, by what this device knows to lie there now.
void consider(Database& db, int64_t folder, const FolderPath& path);

// Whether that version is a file that is not to be fetched, where no file is (folder-choices.h); and whether the path is
// known to be so.
bool shallBeAway(Database& db, int64_t folder, const FolderPath& path, const Version& version);
bool isAway(Database& db, int64_t folder, const FolderPath& path);

// Entries of the folder's collection that can be read and have not been looked at, by their author and seq.
std::vector<RecordName> unseen(Database& db, int64_t folder, const crypto::CollectionId& collection,
    kj::StringPtr topic, size_t most);

}  // namespace hearth::storage::folder_versions
