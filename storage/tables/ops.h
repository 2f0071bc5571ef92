#pragma once
// The membership log on disk: op envelopes in the order in which this device stored them, as a hash
// chain.

#include "storage/sql/database.h"

#include <vector>

namespace hearth::storage::ops {

constexpr size_t ENVELOPE_BYTES_MAX = 128 << 10;

// Requires an envelope of at most ENVELOPE_BYTES_MAX bytes.
void append(Database& db, crypto::Bytes envelope);

// Errors: INTEGRITY_FAILED when a page was changed since the database was opened.
Result<std::vector<crypto::Buffer>> all(Database& db);

}  // namespace hearth::storage::ops
