#include "storage/sql/database.h"

#include "storage/sql/schema.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <cstdio>
#include <sqlcipher/sqlite3.h>
#include <tuple>

namespace hearth::storage {

namespace {

struct Setting {
  const char* set;  // a whole statement
  const char* ask;  // whose one value must be
  const char* value;
};

// In the order of SECURITY.md §10.1.
constexpr Setting SETTINGS[] = {
    {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA locking_mode", "exclusive"},
    {"PRAGMA journal_mode = WAL", "PRAGMA journal_mode", "wal"},
    {"PRAGMA synchronous = FULL", "PRAGMA synchronous", "2"},
    {"PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA secure_delete = ON", "PRAGMA secure_delete", "1"},
    {"PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1"},
    {"PRAGMA cell_size_check = ON", "PRAGMA cell_size_check", "1"},
    {"PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "0"},
};

// "4.6.1 community" and later.
bool isRecent(kj::StringPtr version) {
  int major = 0, minor = 0, patch = 0;
  if (sscanf(version.cStr(), "%d.%d.%d", &major, &minor, &patch) < 2) return false;
  return std::tuple(major, minor, patch) >= std::tuple(4, 6, 1);
}

kj::Maybe<kj::String> ask(Database& database, kj::StringPtr sql) {
  Statement statement(database, sql);
  if (!statement.step()) return nullptr;
  return statement.text(0);
}

void setKey(Database& database, const crypto::DatabaseKey& key) {
  // A raw key, so that nothing is stretched again. The statement is wiped with its string.
  constexpr kj::StringPtr BEFORE = "PRAGMA key = \"x'"_kj, AFTER = "'\""_kj;
  auto hex = kj::encodeHex(key.reveal());
  auto sql = kj::str(BEFORE, hex, AFTER);
  database.execute(sql);
  crypto::wipe(hex.asArray().asBytes());
  crypto::wipe(sql.asArray().asBytes());
}

Result<void> unlock(Database& database, const crypto::DatabaseKey& key) {
  database.execute("PRAGMA cipher_log_level = NONE");  // it would write to standard error
  setKey(database, key);
  database.execute("PRAGMA cipher_page_size = 4096");
  database.execute("PRAGMA cipher_hmac_algorithm = HMAC_SHA512");
  database.execute("PRAGMA cipher_use_hmac = ON");
  auto version = ask(database, "PRAGMA cipher_version").orDefault(kj::str());
  if (!isRecent(version))
    return no(Errc::BAD_VERSION, "SQLCipher is older than 4.6.1: run scripts/bootstrap");
  // Without shared memory a database in WAL mode can be read in exclusive mode only.
  database.execute("PRAGMA locking_mode = EXCLUSIVE");
  // The first read is what tells a right key from a wrong one.
  auto opened =
      kj::runCatchingExceptions([&]() { ask(database, "SELECT count(*) FROM sqlite_schema"); });
  if (opened != nullptr)
    return no(Errc::DECRYPT_FAILED, "the database does not open with this device's key");
  return {};
}

Result<void> configure(Database& database, sqlite3* handle) {
  for (auto& setting: SETTINGS) {
    database.execute(setting.set);
    if (ask(database, setting.ask).orDefault(kj::str()) != setting.value)
      return no(Errc::INTEGRITY_FAILED, setting.set);
  }
  database.execute("PRAGMA mmap_size = 0");
  int defensive = 0;
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, &defensive);
  int extensions = 1;
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, &extensions);
  if (!defensive || extensions)
    return no(Errc::INTEGRITY_FAILED, "the database cannot be made defensive");
  return {};
}

}  // namespace

Statement::Statement(Database& database, kj::StringPtr sql): database(database) {
  auto result = sqlite3_prepare_v2(
      database.handle, sql.begin(), static_cast<int>(sql.size()), &statement, nullptr);
  KJ_REQUIRE(result == SQLITE_OK, "a statement is wrong", sqlite3_errmsg(database.handle));
}

Statement::~Statement() noexcept(false) { sqlite3_finalize(statement); }

Statement& Statement::bind(int64_t value) {
  sqlite3_bind_int64(statement, ++bound, value);
  return *this;
}

Statement& Statement::bind(kj::StringPtr value) {
  sqlite3_bind_text64(
      statement, ++bound, value.begin(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(kj::ArrayPtr<const kj::byte> value) {
  // A null pointer would bind NULL; an empty blob is no NULL.
  auto start = value.size() > 0 ? value.begin() : reinterpret_cast<const kj::byte*>("");
  sqlite3_bind_blob64(statement, ++bound, start, value.size(), SQLITE_TRANSIENT);
  return *this;
}

bool Statement::step() {
  auto result = sqlite3_step(statement);
  if (result == SQLITE_ROW) return true;
  KJ_REQUIRE(result == SQLITE_DONE, "the database failed", sqlite3_errmsg(database.handle));
  return false;
}

void Statement::run() {
  while (step()) {}
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement, column); }

kj::String Statement::text(int column) const {
  auto start = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
  return kj::str(kj::arrayPtr(start, size));
}

kj::Array<kj::byte> Statement::blob(int column) const {
  auto start = static_cast<const kj::byte*>(sqlite3_column_blob(statement, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
  return kj::heapArray<kj::byte>(start, size);
}

Result<kj::Own<Database>> Database::open(
    const DirectoryVfs& vfs, kj::StringPtr name, const crypto::DatabaseKey& key) {
  sqlite3* handle = nullptr;
  auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
  auto result = sqlite3_open_v2(name.cStr(), &handle, flags, vfs.name().cStr());
  auto database = kj::heap<Database>(handle);
  if (result != SQLITE_OK) return no(Errc::INTEGRITY_FAILED, "the database cannot be opened");
  if (auto unlocked = unlock(*database, key); !unlocked) return no(unlocked.error());
  if (schemaVersion(*database) > SCHEMA_NEWEST)
    return no(Errc::BAD_VERSION, "the database is of a newer Hearth: update this device");
  if (auto configured = configure(*database, handle); !configured) return no(configured.error());
  migrate(*database);
  return kj::mv(database);
}

Database::~Database() noexcept(false) { sqlite3_close(handle); }

void Database::execute(kj::StringPtr sql) {
  char* message = nullptr;
  auto result = sqlite3_exec(handle, sql.cStr(), nullptr, nullptr, &message);
  KJ_DEFER(sqlite3_free(message));
  KJ_REQUIRE(result == SQLITE_OK, "the database failed", message);
}

void Database::checkpoint() { execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace hearth::storage
