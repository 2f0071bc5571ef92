#pragma once
// Small values by name: which circle this is, what this device is called.

#include "storage/sql/database.h"

namespace hearth::storage::settings {

constexpr size_t VALUE_BYTES_MAX = 64 << 10;

// Replaces the value. Requires one of at most VALUE_BYTES_MAX bytes.
void set(Database& db, kj::StringPtr name, crypto::Bytes value);

kj::Maybe<crypto::Buffer> get(Database& db, kj::StringPtr name);

}  // namespace hearth::storage::settings
