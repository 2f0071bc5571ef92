#include "storage/tables/chunk-places.h"

#include <kj/debug.h>

#include <cstring>
#include <limits>

namespace hearth::storage::chunk_places {

int64_t shortOf(const Digest& hash) {
  int64_t value;
  memcpy(&value, hash.bytes, sizeof(value));
  return value;
}

int64_t addSource(Database& db, const Source& source) {
  dropSource(db, source.kind, source.name);
  db.run("INSERT INTO chunk_sources (kind, name, stamp) VALUES (?1, ?2, ?3)",
      static_cast<int>(source.kind), source.name.asPtr(), source.stamp.asPtr());
  auto select = db.query("SELECT last_insert_rowid()");
  select.step();
  return select.number(0);
}

void dropSource(Database& db, Source::Kind kind, crypto::Bytes name) {
  db.run("DELETE FROM chunk_sources WHERE kind = ?1 AND name = ?2", static_cast<int>(kind), name);
}

kj::Maybe<int64_t> sourceOf(Database& db, Source::Kind kind, crypto::Bytes name) {
  auto select = db.query(
      "SELECT i FROM chunk_sources WHERE kind = ?1 AND name = ?2", static_cast<int>(kind), name);
  if (!select.step()) return nullptr;
  return select.number(0);
}

void add(Database& db, int64_t source, const Cut& cut) {
  db.run("INSERT OR IGNORE INTO chunk_places VALUES (?1, ?2, ?3, ?4)", shortOf(cut.chunk.hash),
      source, cut.offset, cut.chunk.length);
}

void drop(Database& db, int64_t source, uint64_t offset, const Digest& chunk) {
  db.run("DELETE FROM chunk_places WHERE short = ?1 AND source = ?2 AND place = ?3", shortOf(chunk),
      source, offset);
}

std::vector<Place> find(Database& db, const Child& chunk, size_t most) {
  auto select = db.query("SELECT s.kind, s.name, s.stamp, s.i, p.place FROM chunk_places AS p"
                         " JOIN chunk_sources AS s ON s.i = p.source"
                         " WHERE p.short = ?1 AND p.length = ?2 LIMIT ?3",
      shortOf(chunk.hash), chunk.length, most);
  std::vector<Place> found;
  while (select.step()) {
    Source source{static_cast<Source::Kind>(select.number(0)),
        kj::heapArray<kj::byte>(select.blob(1)), kj::heapArray<kj::byte>(select.blob(2))};
    found.push_back({kj::mv(source), select.number(3), static_cast<uint64_t>(select.number(4))});
  }
  return found;
}

bool sweep(Database& db, size_t rows) {
  constexpr auto FIRST = std::numeric_limits<int64_t>::min(),
                 LAST = std::numeric_limits<int64_t>::max();
  auto from = FIRST, to = LAST;
  {
    auto walk = db.query("SELECT gone, next IS NOT NULL, ifnull(next, 0) FROM chunk_walk");
    KJ_ASSERT(walk.step());
    if (walk.number(1) != 0) {
      from = walk.number(2);
    } else if (walk.number(0) == 0) {
      return false;
    }
  }
  if (from == FIRST) db.run("UPDATE chunk_walk SET gone = 0");
  {
    auto end = db.query(
        "SELECT short FROM chunk_places WHERE short >= ?1 ORDER BY short LIMIT 1 OFFSET ?2", from,
        rows - 1);
    if (end.step()) to = end.number(0);
  }
  db.run("DELETE FROM chunk_places WHERE short BETWEEN ?1 AND ?2"
         " AND NOT EXISTS (SELECT 1 FROM chunk_sources WHERE i = source)",
      from, to);
  if (to == LAST) {
    db.run("UPDATE chunk_walk SET next = NULL");
    return false;
  }
  db.run("UPDATE chunk_walk SET next = ?1", to + 1);
  return true;
}

}  // namespace hearth::storage::chunk_places
