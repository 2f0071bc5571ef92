#pragma once
// Hash chains over append-only tables (SECURITY.md §10.2, docs/PROTOCOL.md "Storage"). A chained table
// is `(i INTEGER PRIMARY KEY, row BLOB NOT NULL, row_hash BLOB NOT NULL)`, and the table `chains` holds
// where each begins and ends, so that rows cut off its end are missed too. Heads stay in memory after
// the walk at open: what happens to the disk meanwhile is not believed.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

#include <map>
#include <string>

namespace hearth::storage {

class Database;
class Statement;

struct ChainHead {
  uint64_t base = 0;  // index of the first row that is kept
  uint64_t rows = 0;  // index that the next row gets
  Digest hash;        // of the newest row; zero for none

  bool operator==(const ChainHead&) const = default;
};

using ChainHeads = std::map<std::string, ChainHead, std::less<>>;

namespace chain {

constexpr size_t ROW_BYTES_MAX = 1 << 20;

// Walks the whole table and remembers its head.
// Errors: INTEGRITY_FAILED for a row that does not follow from the one before; ROLLBACK for rows that
// are missing at the end.
Result<void> verify(Database& db, kj::StringPtr table);

// All inside a transaction. `table` is verified.
void append(Database& db, kj::StringPtr table, crypto::Bytes row);

// Rows that are kept.
size_t size(Database& db, kj::StringPtr table);

// Rows from the oldest kept on: column 0 is the row.
Statement rows(Database& db, kj::StringPtr table);

// Forgets all rows; the next one follows from the newest of them.
void forgetRows(Database& db, kj::StringPtr table);

}  // namespace chain
}  // namespace hearth::storage
