#include "storage/sql/statement.h"

#include <kj/debug.h>

#include <sqlcipher/sqlite3.h>

namespace hearth::storage {

void requireSqlite(int code, kj::StringPtr doing) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  // Its text names the kind of failure and no value.
  auto because = sqlite3_errstr(code);
  if ((code & 0xff) == SQLITE_FULL)
    kj::throwFatalException(KJ_EXCEPTION(OVERLOADED, because, doing));
  kj::throwFatalException(KJ_EXCEPTION(FAILED, because, code, doing));
}

sqlite3_stmt* IdleStatements::take(sqlite3& connection, kj::StringPtr sql) {
  auto found = idle.find({sql.begin(), sql.size()});
  if (found != idle.end()) {
    auto statement = found->second;
    idle.erase(found);
    return statement;
  }
  const char* rest = nullptr;
  sqlite3_stmt* statement = nullptr;
  auto length = static_cast<int>(sql.size() + 1);
  requireSqlite(sqlite3_prepare_v3(
                    &connection, sql.cStr(), length, SQLITE_PREPARE_PERSISTENT, &statement, &rest),
      sql);
  KJ_ON_SCOPE_FAILURE(sqlite3_finalize(statement));
  KJ_REQUIRE(statement != nullptr && rest == sql.end(), "not one statement", sql);
  return statement;
}

void IdleStatements::giveBack(sqlite3_stmt* statement) noexcept {
  if (statement == nullptr) return;
  // How its last step went was told then.
  (void)sqlite3_reset(statement);
  (void)sqlite3_clear_bindings(statement);
  if (idle.size() >= MAX) {
    sqlite3_finalize(statement);
  } else {
    idle.emplace(sqlite3_sql(statement), statement);
  }
}

void IdleStatements::clear() noexcept {
  auto all = std::move(idle);
  for (auto& entry: all) sqlite3_finalize(entry.second);
}

Statement::Statement(sqlite3& connection, IdleStatements& idle, kj::StringPtr sql)
    : idle(&idle),
      statement(idle.take(connection, sql)) {}

Statement::~Statement() { idle->giveBack(statement); }

Statement::Statement(Statement&& other) noexcept
    : idle(other.idle),
      statement(other.statement),
      bound(other.bound) {
  other.statement = nullptr;
}

void Statement::bind(kj::ArrayPtr<const kj::byte> blob) {
  // A null pointer would bind NULL, which no column of ours takes.
  const void* start = blob.size() == 0 ? "" : static_cast<const void*>(blob.begin());
  requireSqlite(
      sqlite3_bind_blob64(statement, ++bound, start, blob.size(), SQLITE_TRANSIENT), "bind");
}

void Statement::bind(kj::StringPtr text) {
  requireSqlite(sqlite3_bind_text64(
                    statement, ++bound, text.begin(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
      "bind");
}

void Statement::bindNumber(int64_t number) {
  requireSqlite(sqlite3_bind_int64(statement, ++bound, number), "bind");
}

bool Statement::step() {
  auto code = sqlite3_step(statement);
  requireSqlite(code, sqlite3_sql(statement));
  return code == SQLITE_ROW;
}

Result<bool> Statement::tryStep() {
  auto code = sqlite3_step(statement);
  auto kind = code & 0xff;
  if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
    return no(Errc::INTEGRITY_FAILED, "a page of the database was changed from outside");
  requireSqlite(code, sqlite3_sql(statement));
  return code == SQLITE_ROW;
}

int64_t Statement::number(int column) const { return sqlite3_column_int64(statement, column); }

kj::ArrayPtr<const kj::byte> Statement::blob(int column) const {
  auto start = static_cast<const kj::byte*>(sqlite3_column_blob(statement, column));
  return kj::arrayPtr(start, sqlite3_column_bytes(statement, column));
}

kj::StringPtr Statement::text(int column) const {
  auto start = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (start == nullptr) return "";
  return kj::StringPtr(start, sqlite3_column_bytes(statement, column));
}

}  // namespace hearth::storage
