#pragma once
// What of a folder is kept on this device. A choice is about a path and all that is in it, and the nearest one counts; a
// path that none is about is kept. Of what is not kept no file is fetched: it is away, known and not here
// (folder_pending.away). A file that is here all the same stays in step for as long as it is here, and leaves only when
// its bytes are known to be elsewhere (devices/folders/freeing.h).

#include "storage/tables/folder-versions.h"

namespace hearth::storage::folder_choices {

constexpr size_t CHOICES_MAX = 1'024;      // of a folder
constexpr size_t REMEMBERED_MAX = 16'384;  // paths that may turn up under other names

struct Choice {
  FolderPath path;
  bool isKept = true;

  bool operator==(const Choice&) const = default;
};

// All inside a transaction, where they change something.

// In order of their paths.
std::vector<Choice> all(Database& db, int64_t folder);
bool isKept(Database& db, int64_t folder, const FolderPath& path);
// The path and all that is in it, whatever was chosen in there before. Errors: LIMIT_EXCEEDED; then nothing is chosen.
Result<void> choose(Database& db, int64_t folder, const FolderPath& path, bool keep);
// Nothing of the folder but these. Errors: LIMIT_EXCEEDED; then part of it may be chosen.
Result<void> keepOnly(Database& db, int64_t folder, const std::vector<FolderPath>& paths);

// Whether a file that shall be at the path, and where no file is, is not to be fetched. What is kept beside a path goes
// with that path; and what lies here under another name, because of two files that contradict each other, is brought to
// its own: perhaps it is nowhere else.
bool isAway(Database& db, int64_t folder, const FolderPath& path, const PathState& file);
// Whether a path within the directory is away.
bool hasAwayIn(Database& db, int64_t folder, const FolderPath& directory);

// What a record has replaced.
struct Was {
  FolderPath path;
  PathState state;
};
// After the records of an entry. A directory that is renamed is chosen about under its new name: what was at a path with
// a choice is remembered when it goes; a file with the same bytes, found under another name while nothing is left under
// the first, brings the choice along.
void follow(Database& db, int64_t folder, const std::vector<Was>& replaced,
    const std::vector<FolderRecord>& records);

// Files that are about to leave, written down before they do: one that is not there any more was not removed by its owner.
struct Leaving {
  FolderPath path;
  RecordName version;
};
void leaves(Database& db, int64_t folder, const folders::Local& local);
std::vector<Leaving> leaving(Database& db, int64_t folder, size_t most);
void stays(Database& db, int64_t folder, const FolderPath& path);  // or has left

void forgetFolder(Database& db, int64_t folder);

}  // namespace hearth::storage::folder_choices
