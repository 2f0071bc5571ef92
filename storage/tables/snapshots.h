#pragma once
// What the entries of a topic come to, written down whole, so that it need not be made of all of them again: the
// parts are bundles. It can be made anew at any time.

#include "crypto/identity/circle-keys.h"
#include "storage/sql/database.h"

#include <vector>

namespace hearth::storage::snapshots {

struct Snapshot {
  int64_t upto = 0;  // place of the newest entry that is in it
  std::vector<crypto::Buffer> parts;
};

void put(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic,
    const Snapshot& snapshot);
Snapshot get(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic);
void forget(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic);

}  // namespace hearth::storage::snapshots
