#include "storage/sql/database.h"

#include "storage/sql/words.h"

#include <kj/debug.h>

// Declares sqlite3_key.
#define SQLITE_HAS_CODEC 1
#include <charconv>
#include <sqlcipher/sqlite3.h>

namespace hearth::storage {

struct Setting {
  kj::StringPtr set;
  kj::StringPtr get;
  kj::StringPtr expected;
  kj::StringPtr refusal;
};

namespace {

// Before the first page is read. Locking is exclusive from there on, so that no shared memory is asked for.
constexpr Setting CIPHER_SETTINGS[] = {
    {"PRAGMA cipher_page_size = 4096"_kj, "PRAGMA cipher_page_size"_kj, "4096"_kj,
        "SQLCipher refuses cipher_page_size"_kj},
    {"PRAGMA cipher_hmac_algorithm = HMAC_SHA512"_kj, "PRAGMA cipher_hmac_algorithm"_kj,
        "HMAC_SHA512"_kj, "SQLCipher refuses cipher_hmac_algorithm"_kj},
    {"PRAGMA cipher_use_hmac = ON"_kj, "PRAGMA cipher_use_hmac"_kj, "1"_kj,
        "SQLCipher refuses cipher_use_hmac"_kj},
    {"PRAGMA cipher_memory_security = OFF"_kj, "PRAGMA cipher_memory_security"_kj, "0"_kj,
        "SQLCipher refuses cipher_memory_security"_kj},
    {"PRAGMA locking_mode = EXCLUSIVE"_kj, "PRAGMA locking_mode"_kj, "exclusive"_kj,
        "SQLite refuses locking_mode"_kj},
};

constexpr Setting SETTINGS[] = {
    {"PRAGMA journal_mode = WAL"_kj, "PRAGMA journal_mode"_kj, "wal"_kj,
        "SQLite refuses journal_mode"_kj},
    {"PRAGMA synchronous = FULL"_kj, "PRAGMA synchronous"_kj, "2"_kj,
        "SQLite refuses synchronous"_kj},
    {"PRAGMA temp_store = MEMORY"_kj, "PRAGMA temp_store"_kj, "2"_kj,
        "SQLite refuses temp_store"_kj},
    {"PRAGMA secure_delete = ON"_kj, "PRAGMA secure_delete"_kj, "1"_kj,
        "SQLite refuses secure_delete"_kj},
    {"PRAGMA foreign_keys = ON"_kj, "PRAGMA foreign_keys"_kj, "1"_kj,
        "SQLite refuses foreign_keys"_kj},
    // Each page that is not kept is decrypted and verified anew; rows that are named by hashes are all over the file.
    {"PRAGMA cache_size = -8192"_kj, "PRAGMA cache_size"_kj, "-8192"_kj,
        "SQLite refuses cache_size"_kj},
    {"PRAGMA mmap_size = 0"_kj, "PRAGMA mmap_size"_kj, "0"_kj, "SQLite refuses mmap_size"_kj},
    {"PRAGMA cell_size_check = ON"_kj, "PRAGMA cell_size_check"_kj, "1"_kj,
        "SQLite refuses cell_size_check"_kj},
    {"PRAGMA trusted_schema = OFF"_kj, "PRAGMA trusted_schema"_kj, "0"_kj,
        "SQLite refuses trusted_schema"_kj},
};

struct Switch {
  int which;
  int value;
  kj::StringPtr refusal;
};

constexpr Switch SWITCHES[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1, "SQLite refuses DEFENSIVE"_kj},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, "SQLite refuses to forbid extensions"_kj},
    {SQLITE_DBCONFIG_DQS_DML, 0, "SQLite refuses DQS_DML"_kj},
    {SQLITE_DBCONFIG_DQS_DDL, 0, "SQLite refuses DQS_DDL"_kj},
};

Result<void> flip(sqlite3* connection, const Switch& which) {
  int found = -1;
  requireSqlite(sqlite3_db_config(connection, which.which, which.value, &found), which.refusal);
  if (found != which.value) return no(Errc::INTEGRITY_FAILED, which.refusal);
  return {};
}

// "x'<64 hex digits>'": the raw key, so that nothing is derived from it. Handed to the call that
// `PRAGMA key` itself makes, because the text of a statement would not be wiped.
void giveKey(sqlite3* connection, const crypto::DatabaseKey& key) {
  constexpr char DIGITS[] = "0123456789abcdef";
  crypto::Scratch<2 * crypto::DatabaseKey::SIZE + 3> literal;
  auto out = literal.begin();
  *out++ = 'x';
  *out++ = '\'';
  for (auto byte: key.reveal()) {
    *out++ = DIGITS[byte >> 4];
    *out++ = DIGITS[byte & 15];
  }
  *out++ = '\'';
  requireSqlite(sqlite3_key(connection, literal.begin(), out - literal.begin()), "key");
}

Result<void> firstRead(sqlite3* connection, const char* sql) {
  switch (auto code = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr); code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return no(Errc::DECRYPT_FAILED, "the database is not Hearth's, or belongs to another key");
    case SQLITE_BUSY:
      return no(Errc::BUSY, "the database is in use: another Hearth runs on this directory");
    default:
      requireSqlite(code, sql);
  }
  return {};
}

}  // namespace

Result<void> acceptCipherVersion(kj::StringPtr version) {
  constexpr int LEAST[] = {4, 6, 1};
  auto at = version.begin();
  for (auto least: LEAST) {
    int number = -1;
    at = std::from_chars(at, version.end(), number).ptr;
    if (number > least) return {};
    if (number < least) break;
    if (least == LEAST[2]) return {};
    if (at != version.end() && *at == '.') ++at;
  }
  return no(Errc::BAD_VERSION, "SQLCipher is older than 4.6.1: run scripts/bootstrap");
}

Result<kj::Own<Database>> Database::open(const DirectoryVfs& vfs, kj::StringPtr name,
    const crypto::DatabaseKey& key, const Schema& schema) {
  auto db = kj::heap<Database>(kj::Badge<Database>());
  constexpr int FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
      SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  auto opened = sqlite3_open_v2(name.cStr(), &db->connection, FLAGS, vfs.name().cStr());
  requireSqlite(opened, "open");
  // Where the database is refused, not even a log that a crash left behind goes back into its file.
  sqlite3_db_config(db->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto done = db->unlock(key); !done) return no(done.error());
  if (auto done = db->configure(); !done) return no(done.error());
  Words::teach(*db->connection);
  if (auto done = db->migrate(schema.migrations); !done) return no(done.error());
  for (auto table: schema.chains) {
    if (auto done = chain::verify(*db, table); !done) return no(done.error());
  }
  sqlite3_db_config(db->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  db->syncRecovered();
  return db;
}

// A commit whose sync failed may stand in the write-ahead log of a process that was killed: it counts
// from now on, so it must be on the disk.
void Database::syncRecovered() {
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { checkpoint(); }))
    KJ_LOG(WARNING, "what a crash left in the write-ahead log may not be on the disk", *e);
}

Database::~Database() {
  idle.clear();
  sqlite3_close_v2(connection);
}

Result<void> Database::unlock(const crypto::DatabaseKey& key) {
  giveKey(connection, key);
  // It would write to stderr what open() returns. The first key of a process sets the level anew.
  run("PRAGMA cipher_log_level = NONE");
  for (auto& setting: CIPHER_SETTINGS) {
    if (auto done = set(setting); !done) return done;
  }
  auto version = query("PRAGMA cipher_version");
  version.step();
  if (auto done = acceptCipherVersion(version.text(0)); !done) return done;

  // The first page tells the key; the schema may go on in others, and those may be damaged.
  if (auto first = firstRead(connection, "PRAGMA user_version"); !first) return first;
  auto schema = firstRead(connection, "SELECT count(*) FROM sqlite_schema");
  if (!schema && schema.error().code == Errc::DECRYPT_FAILED)
    return no(Errc::INTEGRITY_FAILED, "a page of the schema is damaged");
  return schema;
}

Result<void> Database::configure() {
  for (auto& setting: SETTINGS) {
    if (auto done = set(setting); !done) return done;
  }
  for (auto& which: SWITCHES) {
    if (auto done = flip(connection, which); !done) return done;
  }
  sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
  return {};
}

Result<void> Database::set(const Setting& setting) {
  run(setting.set);
  auto readBack = query(setting.get);
  if (!readBack.step() || readBack.text(0) != setting.expected)
    return no(Errc::INTEGRITY_FAILED, setting.refusal);
  return {};
}

size_t Database::version() {
  auto select = query("PRAGMA user_version");
  select.step();
  return static_cast<size_t>(select.number(0));
}

Result<void> Database::migrate(kj::ArrayPtr<const kj::StringPtr> migrations) {
  auto found = version();
  if (found > migrations.size())
    return no(Errc::BAD_VERSION, "the database was written by a newer Hearth: update this one");
  for (auto from = found; from < migrations.size(); ++from) {
    Transaction step(*this);
    script(migrations[from]);
    run(kj::str("PRAGMA user_version = ", from + 1));
    step.commit();
  }
  return {};
}

void Database::script(kj::StringPtr sql) {
  requireSqlite(sqlite3_exec(connection, sql.cStr(), nullptr, nullptr, nullptr), "migration");
}

bool Database::inTransaction() const { return !sqlite3_get_autocommit(connection); }

uint64_t Database::changes() const { return sqlite3_total_changes64(connection); }

void Database::checkpoint() {
  KJ_REQUIRE(!inTransaction());
  requireSqlite(
      sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr),
      "checkpoint");
}

// The outermost savepoint is a transaction, releasing it commits.
Transaction::Transaction(Database& db): db(db), headsBefore(db.chains) { db.run("SAVEPOINT part"); }

Transaction::~Transaction() {
  if (!open) return;
  db.chains = kj::mv(headsBefore);
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() {
                // After some failures SQLite has undone the whole transaction by itself.
                if (!db.inTransaction()) return;
                db.run("ROLLBACK TO part");
                db.run("RELEASE part");
              })) {
    KJ_LOG(ERROR, "a transaction could not be undone", *e);
  }
}

void Transaction::commit() {
  db.run("RELEASE part");
  open = false;
}

}  // namespace hearth::storage
