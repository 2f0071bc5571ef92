#pragma once
// One SQLCipher database, opened the way SECURITY.md §10.1 says, every setting read back. Statements
// are prepared with bound values only.

#include "crypto/identity/storage-keys.h"
#include "storage/sql/directory-vfs.h"

#include <kj/array.h>

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::storage {

class Database;

// A prepared statement, used once: bind in order, then step.
class Statement final {
 public:
  Statement(Database& database, kj::StringPtr sql);
  ~Statement() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Statement);

  Statement& bind(int64_t value);
  Statement& bind(kj::StringPtr value);
  Statement& bind(kj::ArrayPtr<const kj::byte> value);

  // The next row, if any. Throws on errors of the database.
  bool step();

  // For statements without rows.
  void run();

  // Columns of the current row, from 0.
  int64_t integer(int column) const;
  kj::String text(int column) const;
  kj::Array<kj::byte> blob(int column) const;

 private:
  Database& database;
  sqlite3_stmt* statement = nullptr;
  int bound = 0;
};

class Database final {
 public:
  // Opens or makes `name` in the directory of `vfs`, which outlives the database, and brings its
  // schema up to date.
  //
  // Errors, each leaving the file as it was: DECRYPT_FAILED when the key is wrong or the file is
  // not a database; BAD_VERSION when SQLCipher is older than 4.6.1, or the schema is newer than
  // this program; INTEGRITY_FAILED when a setting does not read back.
  static Result<kj::Own<Database>> open(
      const DirectoryVfs& vfs, kj::StringPtr name, const crypto::DatabaseKey& key);

  explicit Database(sqlite3* handle): handle(handle) {}
  ~Database() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Database);

  // SQL without values, from this program.
  void execute(kj::StringPtr sql);

  // Moves the WAL into the database: at exit and now and then.
  void checkpoint();

 private:
  friend class Statement;
  sqlite3* handle;
};

}  // namespace hearth::storage
