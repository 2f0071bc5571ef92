#include "storage/tables/jobs.h"

namespace hearth::storage::jobs {

namespace {

std::vector<JobRow> rowsOf(Statement& statement) {
  std::vector<JobRow> rows;
  while (statement.step())
    rows.push_back({statement.text(0).cStr(), statement.integer(1), statement.blob(2)});
  return rows;
}

}  // namespace

void put(Database& database, const JobRow& row) {
  Statement(database, "INSERT OR REPLACE INTO jobs (id, started_ms, record) VALUES (?, ?, ?)")
      .bind(kj::StringPtr(row.id.c_str()))
      .bind(row.startedMs)
      .bind(row.record)
      .run();
  Statement(database,
      "DELETE FROM jobs WHERE id NOT IN (SELECT id FROM jobs ORDER BY started_ms DESC LIMIT ?)")
      .bind(KEPT_MAX)
      .run();
}

std::vector<JobRow> newest(Database& database, uint32_t most) {
  Statement statement(
      database, "SELECT id, started_ms, record FROM jobs ORDER BY started_ms DESC LIMIT ?");
  statement.bind(int64_t{most});
  return rowsOf(statement);
}

std::vector<JobRow> find(Database& database, kj::StringPtr prefix) {
  Statement statement(
      database, "SELECT id, started_ms, record FROM jobs WHERE substr(id, 1, ?) = ? LIMIT 2");
  statement.bind(static_cast<int64_t>(prefix.size())).bind(prefix);
  return rowsOf(statement);
}

}  // namespace hearth::storage::jobs
