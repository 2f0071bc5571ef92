#pragma once
// The newest facts that each device has told about itself, so that a plan can be made before it has
// called again. What the bytes mean is for the upper floors.

#include "storage/sql/database.h"

#include <vector>

namespace hearth::storage {

struct StoredFacts {
  static constexpr size_t ENCODED_BYTES_MAX = 256 << 10;

  DeviceId device;
  uint64_t version = 0;
  crypto::Buffer encoded;
};

namespace facts {

// Keeps the newer: false when what is stored has this version or a later one. Requires encoded facts
// of at most ENCODED_BYTES_MAX bytes and a version below 2^63.
bool put(Database& db, const StoredFacts& facts);
std::vector<StoredFacts> all(Database& db);

}  // namespace facts
}  // namespace hearth::storage
