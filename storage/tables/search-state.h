#pragma once
// What the full-text index still owes: paths of folders that have changed, written down in the transaction that changed
// them; how far in the operation log documents have been looked at; and collections that are gone.

#include "crypto/identity/circle-keys.h"
#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage::search_state {

// All inside a transaction, where they change something.

// Never the same again.
int64_t nextSerial(Database& db);

// A path of a folder is to be looked at.
void changed(Database& db, int64_t folder, kj::StringPtr directory, kj::StringPtr name);
// A folder is removed: nothing of it is owed any more but that it goes.
void gone(Database& db, int64_t folder, const crypto::CollectionId& collection);

struct Owed {
  int64_t folder;
  std::string directory, name;
  int64_t turn;  // how often it has changed
};
std::vector<Owed> owed(Database& db, int64_t folder, size_t most);
// It was looked at. What has changed since is still owed.
void done(Database& db, const Owed& path);

kj::Maybe<crypto::CollectionId> nextGone(Database& db);
void goneIsDone(Database& db, const crypto::CollectionId& collection);

// Topics of a collection that were written to behind a place in the log, and the place up to which that is so: the same
// when there is nothing. As many entries as `most` are looked at.
struct Written {
  std::vector<std::string> topics;
  int64_t from = 0, upto = 0;
  uint64_t unread = 0;  // entries between them that cannot be read, of any collection
};
Written written(Database& db, const crypto::CollectionId& collection, size_t most);
// All of them were looked at. Does not count where more can be read by now.
void done(Database& db, const Written& topics);
// An entry that came long ago can be read now.
void seenAnew(Database& db, int64_t place);

// What is owed in all: paths, entries of the log, and whether something is to go.
struct Totals {
  uint64_t paths = 0, entries = 0;
  bool isGoing = false;
};
Totals totals(Database& db);

}  // namespace hearth::storage::search_state
