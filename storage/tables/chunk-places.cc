#include "storage/tables/chunk-places.h"

#include <cstring>

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

size_t sweep(Database& db, size_t most) {
  auto gone = db.query("DELETE FROM chunk_places WHERE (short, source, place) IN"
                       " (SELECT short, source, place FROM chunk_places WHERE NOT EXISTS"
                       " (SELECT 1 FROM chunk_sources WHERE i = source) LIMIT ?1) RETURNING 1",
      most);
  size_t count = 0;
  while (gone.step()) ++count;
  return count;
}

}  // namespace hearth::storage::chunk_places
