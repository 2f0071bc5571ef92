#pragma once
// What a folder's directories have in them, by what all devices have made of it, here or away (folder-choices.h).

#include "storage/tables/folder-choices.h"

namespace hearth::storage::folder_listing {

// Files at a path and in it.
struct Held {
  uint64_t files = 0, bytes = 0;          // that are here
  uint64_t awayFiles = 0, awayBytes = 0;  // that are not, by choice

  bool operator==(const Held&) const = default;
};
Held held(Database& db, int64_t folder, const FolderPath& path);

struct Entry {
  std::string name;
  PathState state;      // never GONE
  bool isHere = false;  // a file's bytes
  bool isKept = true;   // by choice; what is not, and is here, stays until it is freed

  bool operator==(const Entry&) const = default;
};
// None: there is nothing of that name.
kj::Maybe<Entry> find(Database& db, int64_t folder, const FolderPath& path);
// So many that come after that name, in order of their names.
std::vector<Entry> list(Database& db, int64_t folder, const FolderPath& directory,
    const std::string& after, size_t most);

}  // namespace hearth::storage::folder_listing
