#pragma once
// What is remembered of other devices while they are away: hints, no proof of anything.

#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage {

struct PeerRow {
  static constexpr size_t ADDRESSES_MAX = 16;
  static constexpr size_t ADDRESS_BYTES_MAX = 255;

  DeviceId device;
  std::string name;
  std::string deviceClass;
  std::vector<std::string> addresses;  // "HOST:PORT", best first
  int64_t seenMs = 0;                  // Unix time; 0: never

  bool operator==(const PeerRow&) const = default;
};

namespace peers {

// Replaces what is known of that device. Of its addresses the first ADDRESSES_MAX are kept, and none
// that is longer than ADDRESS_BYTES_MAX.
void put(Database& db, const PeerRow& row);
std::vector<PeerRow> all(Database& db);

}  // namespace peers
}  // namespace hearth::storage
