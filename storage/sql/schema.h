#pragma once
// The tables, as a list of steps that only ever grows: step n takes a database from version n to
// n + 1. SQLite's user_version says how far a database has come.

#include <cstdint>

namespace hearth::storage {

class Database;

constexpr int64_t SCHEMA_NEWEST = 1;

int64_t schemaVersion(Database& database);

// Requires schemaVersion() <= SCHEMA_NEWEST. Each step is one transaction.
void migrate(Database& database);

}  // namespace hearth::storage
