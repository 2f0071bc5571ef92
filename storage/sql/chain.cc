#include "storage/sql/chain.h"

#include "crypto/primitives/row-hash.h"
#include "storage/sql/database.h"

#include <kj/debug.h>

namespace hearth::storage::chain {

namespace {

constexpr Error UNREADABLE{Errc::INTEGRITY_FAILED, "the head of a hash chain is unreadable"_kj};
constexpr Error BROKEN{
    Errc::INTEGRITY_FAILED, "a stored row does not follow from the one before"_kj};
constexpr Error CUT{
    Errc::ROLLBACK, "stored rows are missing: the database is older than it was"_kj};

ChainHead& headOf(Database& db, kj::StringPtr table) {
  auto found = db.chains.find(table.cStr());
  KJ_REQUIRE(found != db.chains.end(), "the chain was not verified", table);
  return found->second;
}

struct Stored {
  ChainHead head;
  Digest baseHash;
};

Result<Stored> storedHead(Database& db, kj::StringPtr table) {
  auto select =
      db.query("SELECT base, base_hash, rows, row_hash FROM chains WHERE name = ?1", table);
  auto there = select.tryStep();
  if (!there) return no(there.error());
  if (!*there) return no(UNREADABLE);
  auto baseHash = Digest::from(select.blob(1)), hash = Digest::from(select.blob(3));
  if (!baseHash || !hash) return no(UNREADABLE);
  ChainHead head{
      static_cast<uint64_t>(select.number(0)), static_cast<uint64_t>(select.number(2)), *hash};
  return Stored{head, *baseHash};
}

}  // namespace

Result<void> verify(Database& db, kj::StringPtr table) {
  auto stored = storedHead(db, table);
  if (!stored) return no(stored.error());
  ChainHead walked{stored->head.base, stored->head.base, stored->baseHash};
  auto select = db.query(kj::str("SELECT i, row, row_hash FROM ", table, " ORDER BY i"));
  for (;;) {
    auto more = select.tryStep();
    if (!more) return no(more.error());
    if (!*more) break;
    if (static_cast<uint64_t>(select.number(0)) != walked.rows) return no(BROKEN);
    auto hash = crypto::rowHash(table, walked.rows, walked.hash, select.blob(1));
    if (hash.asBytes() != select.blob(2)) return no(BROKEN);
    walked.hash = hash;
    ++walked.rows;
  }
  // A head that is behind its rows is an older copy as well.
  if (walked.rows != stored->head.rows) return no(CUT);
  if (walked != stored->head) return no(BROKEN);
  db.chains.insert_or_assign(table.cStr(), walked);
  return {};
}

void append(Database& db, kj::StringPtr table, crypto::Bytes row) {
  KJ_REQUIRE(row.size() <= ROW_BYTES_MAX, table, row.size());
  KJ_REQUIRE(db.inTransaction(), table);
  auto& head = headOf(db, table);
  auto hash = crypto::rowHash(table, head.rows, head.hash, row);
  db.run(kj::str("INSERT INTO ", table, " VALUES (?1, ?2, ?3)"), head.rows, row, hash.asBytes());
  head.hash = hash;
  ++head.rows;
  db.run("UPDATE chains SET rows = ?2, row_hash = ?3 WHERE name = ?1", table, head.rows,
      hash.asBytes());
}

size_t size(Database& db, kj::StringPtr table) {
  auto& head = headOf(db, table);
  return head.rows - head.base;
}

Statement rows(Database& db, kj::StringPtr table) {
  return db.query(kj::str("SELECT row FROM ", table, " ORDER BY i"));
}

void forgetRows(Database& db, kj::StringPtr table) {
  KJ_REQUIRE(db.inTransaction(), table);
  auto& head = headOf(db, table);
  db.run(kj::str("DELETE FROM ", table));
  head.base = head.rows;
  db.run("UPDATE chains SET base = ?2, base_hash = ?3 WHERE name = ?1", table, head.base,
      head.hash.asBytes());
}

}  // namespace hearth::storage::chain
