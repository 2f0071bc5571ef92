#include "storage/tables/facts.h"

#include <kj/debug.h>

namespace hearth::storage::facts {

bool put(Database& db, const StoredFacts& facts) {
  KJ_REQUIRE(facts.encoded.size() <= StoredFacts::ENCODED_BYTES_MAX, facts.encoded.size());
  KJ_REQUIRE(facts.version < (uint64_t(1) << 63), facts.version);
  auto before = db.changes();
  db.run("INSERT INTO facts VALUES (?1, ?2, ?3) ON CONFLICT (device)"
         " DO UPDATE SET version = ?2, encoded = ?3 WHERE version < ?2",
      facts.device.asBytes(), facts.version, facts.encoded.asPtr());
  return db.changes() != before;
}

std::vector<StoredFacts> all(Database& db) {
  std::vector<StoredFacts> found;
  auto select = db.query("SELECT device, version, encoded FROM facts ORDER BY device");
  while (select.step()) {
    found.push_back({DeviceId::from(select.blob(0)).value(),
        static_cast<uint64_t>(select.number(1)), kj::heapArray<kj::byte>(select.blob(2))});
  }
  return found;
}

}  // namespace hearth::storage::facts
