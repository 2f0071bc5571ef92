#include "storage/tables/snapshots.h"

namespace hearth::storage::snapshots {

void put(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic,
    const Snapshot& snapshot) {
  forget(db, collection, topic);
  for (size_t i = 0; i < snapshot.parts.size(); ++i)
    db.run("INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5)", collection.asBytes(), topic,
        snapshot.upto, i, snapshot.parts[i].asPtr());
}

Snapshot get(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic) {
  Snapshot found;
  auto select = db.query("SELECT upto, bundle FROM snapshots WHERE collection = ?1 AND topic = ?2"
                         " ORDER BY part",
      collection.asBytes(), topic);
  while (select.step()) {
    found.upto = select.number(0);
    found.parts.push_back(kj::heapArray<kj::byte>(select.blob(1)));
  }
  return found;
}

void forget(Database& db, const crypto::CollectionId& collection, kj::StringPtr topic) {
  db.run("DELETE FROM snapshots WHERE collection = ?1 AND topic = ?2", collection.asBytes(), topic);
}

}  // namespace hearth::storage::snapshots
