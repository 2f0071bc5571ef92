#pragma once
// The hash chain of an append-only table. SQLCipher's page MAC does not notice an older copy of a
// page; a chain over the rows does.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

// Row `index` (from 0; `previous` is zero for the first) with its bytes as stored.
Digest rowHash(kj::StringPtr table, uint64_t index, const Digest& previous, Bytes row);

}  // namespace hearth::crypto
