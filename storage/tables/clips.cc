#include "storage/tables/clips.h"

namespace hearth::storage::clips {

namespace {

kj::StringPtr view(const std::string& text) { return kj::StringPtr(text.c_str(), text.size()); }

std::string textOf(kj::StringPtr text) { return {text.begin(), text.size()}; }

DeviceId deviceOf(crypto::Bytes stored) { return DeviceId::from(stored).value(); }

uint64_t stampOf(const Statement& select, int column) {
  return static_cast<uint64_t>(select.number(column));
}

}  // namespace

std::vector<ClipRow> all(Database& db) {
  std::vector<ClipRow> rows;
  auto select = db.query(
      "SELECT stamp, author, place, lifetime_ms, left_ms, at_ms, mime, preview, bytes, secret"
      " FROM clips ORDER BY place, author");
  while (select.step()) {
    ClipRow row{.name = {stampOf(select, 0), deviceOf(select.blob(1))}};
    row.place = stampOf(select, 2);
    row.lifetimeMs = stampOf(select, 3);
    row.leftMs = stampOf(select, 4);
    row.atMs = select.number(5);
    row.mime = textOf(select.text(6));
    row.preview = textOf(select.text(7));
    row.bytes = stampOf(select, 8);
    row.isSecret = select.number(9) != 0;
    rows.push_back(kj::mv(row));
  }
  return rows;
}

std::vector<ClipAuthor> authors(Database& db) {
  std::vector<ClipAuthor> found;
  auto select = db.query("SELECT author, newest, cleared FROM clip_authors ORDER BY author");
  while (select.step())
    found.push_back({deviceOf(select.blob(0)), stampOf(select, 1), stampOf(select, 2)});
  return found;
}

void put(Database& db, const ClipRow& row, crypto::Bytes envelope) {
  db.run("INSERT INTO clips (author, stamp, place, lifetime_ms, left_ms, at_ms, mime, preview,"
         " bytes, secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      row.name.author.asBytes(), row.name.stamp, row.place, row.lifetimeMs, row.leftMs, row.atMs,
      view(row.mime), view(row.preview), row.bytes, row.isSecret);
  db.run("INSERT INTO clip_bytes SELECT i, ?3 FROM clips WHERE author = ?1 AND stamp = ?2",
      row.name.author.asBytes(), row.name.stamp, envelope);
  db.run("INSERT INTO clip_authors VALUES (?1, ?2, 0)"
         " ON CONFLICT (author) DO UPDATE SET newest = max(newest, ?2)",
      row.name.author.asBytes(), row.name.stamp);
}

void update(Database& db, const ClipName& name, uint64_t leftMs, int64_t atMs) {
  db.run("UPDATE clips SET left_ms = ?3, at_ms = ?4 WHERE author = ?1 AND stamp = ?2",
      name.author.asBytes(), name.stamp, leftMs, atMs);
}

kj::Maybe<crypto::Buffer> envelope(Database& db, const ClipName& name) {
  auto select = db.query("SELECT envelope FROM clips JOIN clip_bytes ON clip = i"
                         " WHERE author = ?1 AND stamp = ?2",
      name.author.asBytes(), name.stamp);
  if (!select.step()) return nullptr;
  return kj::heapArray<kj::byte>(select.blob(0));
}

void drop(Database& db, const ClipName& name) {
  db.run("DELETE FROM clips WHERE author = ?1 AND stamp = ?2", name.author.asBytes(), name.stamp);
}

void clear(Database& db, const DeviceId& author, uint64_t upto) {
  db.run("DELETE FROM clips WHERE author = ?1 AND stamp <= ?2", author.asBytes(), upto);
  db.run("INSERT INTO clip_authors VALUES (?1, 0, ?2)"
         " ON CONFLICT (author) DO UPDATE SET cleared = max(cleared, ?2)",
      author.asBytes(), upto);
}

}  // namespace hearth::storage::clips
