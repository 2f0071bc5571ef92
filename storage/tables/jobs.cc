#include "storage/tables/jobs.h"

namespace hearth::storage::jobs {

namespace {

std::vector<JobRow> rowsOf(Statement select) {
  std::vector<JobRow> rows;
  while (select.step()) {
    rows.push_back(
        {select.text(0).cStr(), select.number(1), kj::heapArray<kj::byte>(select.blob(2))});
  }
  return rows;
}

}  // namespace

void put(Database& db, const JobRow& row) {
  db.run("INSERT OR REPLACE INTO jobs VALUES (?1, ?2, ?3)", kj::StringPtr(row.id.c_str()),
      row.startedMs, row.record.asPtr());
  db.run("DELETE FROM jobs WHERE id IN"
         " (SELECT id FROM jobs ORDER BY started_ms DESC, id LIMIT -1 OFFSET ?1)",
      KEPT_MAX);
}

std::vector<JobRow> newest(Database& db, uint32_t most) {
  return rowsOf(db.query(
      "SELECT id, started_ms, record FROM jobs ORDER BY started_ms DESC, id LIMIT ?1", most));
}

std::vector<JobRow> find(Database& db, kj::StringPtr prefix) {
  return rowsOf(
      db.query("SELECT id, started_ms, record FROM jobs WHERE substr(id, 1, ?1) = ?2 LIMIT 2",
          prefix.size(), prefix));
}

}  // namespace hearth::storage::jobs
