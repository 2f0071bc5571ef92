#include "storage/tables/search-state.h"

#include <set>

namespace hearth::storage::search_state {

namespace {

int64_t one(Statement select) {
  select.step();
  return select.number(0);
}

kj::StringPtr viewOf(const std::string& text) { return {text.c_str(), text.size()}; }

}  // namespace

// A statement that may change several rows, or has RETURNING, can be taken back alone: before each such one, FTS5 writes
// down the words it has gathered, and makes a segment for every item instead of one for a batch.
int64_t nextSerial(Database& db) {
  db.run("UPDATE search_state SET serial = serial + 1 WHERE one = 1");
  return one(db.query("SELECT serial FROM search_state"));
}

void changed(Database& db, int64_t folder, kj::StringPtr directory, kj::StringPtr name) {
  db.run("INSERT INTO search_owed VALUES (?1, ?2, ?3, 0)"
         " ON CONFLICT (folder, directory, name) DO UPDATE SET turn = turn + 1",
      folder, directory, name);
}

void gone(Database& db, int64_t folder, const crypto::CollectionId& collection) {
  db.run("DELETE FROM search_owed WHERE folder = ?1", folder);
  db.run("INSERT OR IGNORE INTO search_gone VALUES (?1)", collection.asBytes());
}

std::vector<Owed> owed(Database& db, int64_t folder, size_t most) {
  std::vector<Owed> all;
  auto select =
      db.query("SELECT folder, directory, name, turn FROM search_owed WHERE folder = ?1 LIMIT ?2",
          folder, most);
  while (select.step())
    all.push_back(
        {select.number(0), select.text(1).cStr(), select.text(2).cStr(), select.number(3)});
  return all;
}

void done(Database& db, const Owed& path) {
  db.run("DELETE FROM search_owed WHERE folder = ?1 AND directory = ?2 AND name = ?3 AND turn = ?4",
      path.folder, viewOf(path.directory), viewOf(path.name), path.turn);
}

kj::Maybe<crypto::CollectionId> nextGone(Database& db) {
  auto select = db.query("SELECT collection FROM search_gone LIMIT 1");
  if (!select.step()) return nullptr;
  return crypto::CollectionId::from(select.blob(0)).value();
}

void goneIsDone(Database& db, const crypto::CollectionId& collection) {
  db.run("DELETE FROM search_gone WHERE collection = ?1", collection.asBytes());
}

Written written(Database& db, const crypto::CollectionId& collection, size_t most) {
  Written found;
  found.from = found.upto = one(db.query("SELECT place FROM search_state"));
  std::set<std::string> topics;
  auto select = db.query("SELECT i, collection, topic, kind FROM entries WHERE i > ?1"
                         " ORDER BY i LIMIT ?2",
      found.from, most);
  while (select.step()) {
    found.upto = select.number(0);
    if (select.number(3) == 0) ++found.unread;
    if (select.blob(1) == collection.asBytes() && select.number(3) != 0)
      topics.insert(select.text(2).cStr());
  }
  found.topics.assign(topics.begin(), topics.end());
  return found;
}

void done(Database& db, const Written& topics) {
  db.run("UPDATE search_state SET place = ?1 WHERE place = ?2 AND ?3 ="
         " (SELECT count(*) FROM entries WHERE kind = 0 AND i > ?2 AND i <= ?1)",
      topics.upto, topics.from, topics.unread);
}

void seenAnew(Database& db, int64_t place) {
  db.run("UPDATE search_state SET place = min(place, ?1)", place - 1);
}

Totals totals(Database& db) {
  Totals totals;
  totals.paths = static_cast<uint64_t>(one(db.query("SELECT count(*) FROM search_owed")));
  totals.entries = static_cast<uint64_t>(one(db.query(
      "SELECT ifnull((SELECT max(i) FROM entries), 0) - (SELECT place FROM search_state)")));
  totals.isGoing = one(db.query("SELECT EXISTS (SELECT 1 FROM search_gone)"));
  return totals;
}

}  // namespace hearth::storage::search_state
