#include "storage/tables/settings.h"

namespace hearth::storage::settings {

void set(Database& database, kj::StringPtr key, kj::ArrayPtr<const kj::byte> value) {
  Statement(database, "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)")
      .bind(key)
      .bind(value)
      .run();
}

kj::Maybe<kj::Array<kj::byte>> get(Database& database, kj::StringPtr key) {
  Statement statement(database, "SELECT value FROM settings WHERE key = ?");
  statement.bind(key);
  if (!statement.step()) return nullptr;
  return statement.blob(0);
}

}  // namespace hearth::storage::settings
