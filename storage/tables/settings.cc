#include "storage/tables/settings.h"

#include <kj/debug.h>

namespace hearth::storage::settings {

void set(Database& db, kj::StringPtr name, crypto::Bytes value) {
  KJ_REQUIRE(value.size() <= VALUE_BYTES_MAX, name, value.size());
  db.run("INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", name,
      value);
}

kj::Maybe<crypto::Buffer> get(Database& db, kj::StringPtr name) {
  auto select = db.query("SELECT value FROM settings WHERE name = ?1", name);
  if (!select.step()) return nullptr;
  return kj::heapArray<kj::byte>(select.blob(0));
}

}  // namespace hearth::storage::settings
