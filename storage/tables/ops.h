#pragma once
// The membership log on disk: envelopes in the order in which they were taken, chained by hashes, so
// that a row that was changed, or put back from an older copy, shows.

#include "storage/sql/database.h"

#include <vector>

namespace hearth::storage::ops {

void append(Database& database, kj::ArrayPtr<const kj::byte> envelope);

// Errors: INTEGRITY_FAILED when the chain does not hold.
Result<std::vector<kj::Array<kj::byte>>> all(Database& database);

}  // namespace hearth::storage::ops
