#pragma once
// Small values by name.

#include "storage/sql/database.h"

namespace hearth::storage::settings {

void set(Database& database, kj::StringPtr key, kj::ArrayPtr<const kj::byte> value);
kj::Maybe<kj::Array<kj::byte>> get(Database& database, kj::StringPtr key);

}  // namespace hearth::storage::settings
