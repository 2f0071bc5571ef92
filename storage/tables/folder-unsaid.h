#pragma once
// Of a folder that only receives on this device: what was changed here, which is not told (folder_unsaid). It is what lies
// at a path until others change that path, or the folder may tell again. Without it, what is known is folder_local's.

#include "storage/tables/folders.h"

namespace hearth::storage::folder_unsaid {

// All inside a transaction, where they change something.

// A state of GONE: what lay there was removed. The version is the one in whose place it came, here or away; none, as
// nobody's: there was none.
void put(Database& db, int64_t folder, const folders::Local& local);
void drop(Database& db, int64_t folder, const FolderPath& path);
void forgetFolder(Database& db, int64_t folder);
kj::Maybe<folders::Local> find(Database& db, int64_t folder, const FolderPath& path);

// In order of their paths, so many.
std::vector<FolderPath> all(Database& db, int64_t folder, size_t most);
uint64_t count(Database& db, int64_t folder);

// A folder as far as it is needed to say what was seen in it: others than those that only receive have nothing here, and
// are not asked for it, path by path.
struct Of {
  Of(const folders::Folder& folder): number(folder.number), direction(folder.direction) {}
  explicit Of(int64_t number, folders::Direction direction = folders::Direction::BOTH)
      : number(number),
        direction(direction) {}

  bool onlyReceives() const { return direction == folders::Direction::RECEIVE; }

  int64_t number;
  folders::Direction direction;
};

// What was seen to lie there last, be it told or not: folders::find, in and below with this over it.
kj::Maybe<folders::Local> seen(Database& db, Of folder, const FolderPath& path);
std::vector<folders::Local> seenIn(Database& db, Of folder, const FolderPath& directory);
std::vector<folders::Local> seenBelow(Database& db, Of folder, const FolderPath& directory);

}  // namespace hearth::storage::folder_unsaid
