#include "storage/sql/schema.h"

#include "storage/sql/database.h"

namespace hearth::storage {

namespace {

constexpr const char* STEPS[SCHEMA_NEWEST] = {
    R"(
CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Membership ops, append-only; `hash` chains the rows (SECURITY.md §10.2).
CREATE TABLE ops (i INTEGER PRIMARY KEY, envelope BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
-- The newest handshake counter accepted from each device.
CREATE TABLE counters (device BLOB PRIMARY KEY, accepted INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- What is remembered of other devices while they are away.
CREATE TABLE peers (device BLOB PRIMARY KEY, name TEXT NOT NULL, class TEXT NOT NULL,
  addresses TEXT NOT NULL, seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE jobs (id TEXT PRIMARY KEY, started_ms INTEGER NOT NULL, record BLOB NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_start ON jobs (started_ms);
)",
};

}  // namespace

int64_t schemaVersion(Database& database) {
  Statement statement(database, "PRAGMA user_version");
  return statement.step() ? statement.integer(0) : 0;
}

void migrate(Database& database) {
  for (auto version = schemaVersion(database); version < SCHEMA_NEWEST; ++version) {
    database.execute("BEGIN IMMEDIATE");
    database.execute(STEPS[version]);
    database.execute(kj::str("PRAGMA user_version = ", version + 1));
    database.execute("COMMIT");
  }
}

}  // namespace hearth::storage
