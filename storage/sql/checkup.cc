#include "storage/sql/checkup.h"

namespace hearth::storage {

namespace {

// What a pragma complains of, a row each; one row of "ok" where it does not.
void ask(Database& db, kj::StringPtr pragma, std::vector<std::string>& problems) try {
  auto select = db.query(pragma);
  while (problems.size() < PROBLEMS_MAX && select.step()) {
    std::string said = select.text(0).cStr();
    if (said != "ok") problems.push_back(said);
  }
} catch (const kj::Exception& e) {
  problems.push_back(std::string("cannot be read: ") + e.getDescription().cStr());
}

}  // namespace

Checkup checkUp(Database& db) {
  Checkup found;
  ask(db, "PRAGMA cipher_integrity_check"_kj, found.problems);
  ask(db, "PRAGMA integrity_check"_kj, found.problems);
  auto heads = db.chains;
  for (auto& [table, head]: heads) {
    if (auto verified = chain::verify(db, table.c_str()); !verified)
      found.problems.push_back(table + ": " + verified.error().because.cStr());
  }
  // What the disk says of itself is not believed: where a chain ended is remembered since it was opened.
  for (auto& [table, head]: heads) {
    if (db.chains[table] != head)
      found.problems.push_back(table + ": its rows are not those that were there before");
  }
  db.chains = heads;
  auto pages = db.query("PRAGMA page_count"_kj);
  if (pages.step()) found.pages = static_cast<uint64_t>(pages.number(0));
  return found;
}

}  // namespace hearth::storage
