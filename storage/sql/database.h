#pragma once
// One SQLCipher database, opened as SECURITY.md §10.1 says, with every setting read back. Pages are
// encrypted and authenticated under the database key; what an older copy of a page could hide is
// found by the hash chains (chain.h). One owner at a time, on whichever thread it likes.

#include "crypto/identity/storage-keys.h"
#include "storage/sql/chain.h"
#include "storage/sql/directory-vfs.h"
#include "storage/sql/statement.h"

namespace hearth::storage {

// What a database holds. Migration i brings a database of version i to i + 1; there is no way back.
struct Schema {
  kj::ArrayPtr<const kj::StringPtr> migrations;
  kj::ArrayPtr<const kj::StringPtr> chains;  // tables that are append-only, verified when opened
};

class Database final {
 public:
  static constexpr int VALUE_BYTES_MAX = 16 << 20;

  // Opens or makes the database `name` in the directory of `vfs`, migrates it and verifies its chains.
  // Files that are refused are left as they were, byte for byte.
  // Errors: DECRYPT_FAILED (another key, or no database of Hearth); BUSY (open elsewhere); BAD_VERSION
  // (SQLCipher older than 4.6.1, or written by a newer Hearth); INTEGRITY_FAILED (a setting that reads
  // back differently; changed pages or rows); ROLLBACK (rows cut off).
  // Throws when the disk fails.
  static Result<kj::Own<Database>> open(const DirectoryVfs& vfs, kj::StringPtr name,
      const crypto::DatabaseKey& key, const Schema& schema);
  explicit Database(kj::Badge<Database>) {}
  ~Database();  // checkpoints
  KJ_DISALLOW_COPY_AND_MOVE(Database);

  // A statement ready to step.
  template <typename... Values>
  Statement query(kj::StringPtr sql, const Values&... values) {
    Statement statement(*connection, idle, sql);
    (statement.bind(values), ...);
    return statement;
  }

  // Steps a statement to its end; what it returns is of no interest.
  template <typename... Values>
  void run(kj::StringPtr sql, const Values&... values) {
    auto statement = query(sql, values...);
    while (statement.step()) {}
  }

  bool inTransaction() const;

  // Rows inserted, changed or deleted since the database was opened.
  uint64_t changes() const;

  // Writes the log back into the database file and empties it: hourly and at exit. Requires that no
  // transaction is open.
  void checkpoint();

  // Head of each chain, as of the open transaction.
  ChainHeads chains;

 private:
  sqlite3* connection = nullptr;
  IdleStatements idle;

  Result<void> unlock(const crypto::DatabaseKey& key);
  Result<void> configure();
  size_t version();
  void syncRecovered();
  Result<void> migrate(kj::ArrayPtr<const kj::StringPtr> migrations);
  Result<void> set(const struct Setting& setting);
  void script(kj::StringPtr sql);
};

// Everything done in its lifetime counts together: on disk once the outermost is committed, undone
// unless it is. Nests.
class Transaction final {
 public:
  explicit Transaction(Database& db);
  ~Transaction();
  KJ_DISALLOW_COPY_AND_MOVE(Transaction);

  // Throws when the disk refuses; then nothing of it has happened.
  void commit();

 private:
  Database& db;
  ChainHeads headsBefore;
  bool open = true;
};

// Errors: BAD_VERSION for anything older than SQLCipher 4.6.1. `version` as cipher_version gives it.
Result<void> acceptCipherVersion(kj::StringPtr version);

}  // namespace hearth::storage
