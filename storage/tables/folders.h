#pragma once
// The folders of this device, and what it knows to lie in each of them: the state of every path when it was looked at
// last, and the version that it holds there (folder-versions.h).

#include "crypto/identity/circle-keys.h"
#include "storage/folder/record.h"
#include "storage/sql/database.h"

namespace hearth::storage::folders {

constexpr size_t FOLDERS_MAX = 64;
constexpr size_t NAME_BYTES_MAX = 128;

// Of a folder, on this device alone.
enum class Direction : uint8_t {
  BOTH = 0,
  SEND = 1,     // what others change is known, and not done here
  RECEIVE = 2,  // what is changed here is known, and not told
};

struct Folder {
  int64_t number = 0;
  std::string name;
  crypto::CollectionId collection;
  std::string path;        // on this device
  std::string boot;        // of the machine, when it was open last
  uint64_t ownBefore = 0;  // entries of this device in the collection before it had the folder
  Direction direction = Direction::BOTH;

  bool operator==(const Folder&) const = default;
};

// All inside a transaction, where they change something.

int64_t add(Database& db, const Folder& folder);
std::vector<Folder> all(Database& db);
void setDirection(Database& db, int64_t folder, Direction direction);
// The machine has begun anew, and files that were changed shortly before it ended may have lost what was read of them:
// they are fresh.
void rebooted(Database& db, int64_t folder, const std::string& boot);
// With all that is known of it. Nothing happens to the files.
void remove(Database& db, int64_t folder);

// What lies at a path.
struct Local {
  FolderPath path;
  FileStamp stamp;
  PathState state;
  RecordName version;
  bool isFresh = false;  // the stamp says nothing about what was written since (FileState)

  bool operator==(const Local&) const = default;
};

void put(Database& db, int64_t folder, const Local& local);
// The same file, whose bytes are what they were.
void restamp(Database& db, int64_t folder, const FolderPath& path, const FileStamp& stamp,
    bool isFresh = false);
void drop(Database& db, int64_t folder, const FolderPath& path);
kj::Maybe<Local> find(Database& db, int64_t folder, const FolderPath& path);
// In order of their names.
std::vector<Local> in(Database& db, int64_t folder, const FolderPath& directory);
// At any depth, deepest directories first.
std::vector<Local> below(Database& db, int64_t folder, const FolderPath& directory);
// Files at the path or within it, so many that come after the one named, in the order that this gives them.
std::vector<Local> filesWithin(Database& db, int64_t folder, const FolderPath& path,
    const kj::Maybe<FolderPath>& after, size_t most);

// A file of any folder with those bytes.
struct Copy {
  int64_t folder;
  Local local;
};
std::vector<Copy> copiesOf(Database& db, const ContentId& content, size_t most);
// A file of the folder that was moved, perhaps: the same inode, size and time of the last change.
kj::Maybe<Local> moved(Database& db, int64_t folder, const FileStamp& stamp);

struct Totals {
  uint64_t files = 0, bytes = 0, pending = 0;
  uint64_t awayFiles = 0, awayBytes = 0;  // that are not here by choice (folder-choices.h)
};
Totals totals(Database& db, int64_t folder);

}  // namespace hearth::storage::folders
