#pragma once
// What is remembered of other devices while they are away.

#include "core/base/ids.h"
#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage {

struct PeerRow {
  DeviceId device;
  std::string name;
  std::string deviceClass;
  std::vector<std::string> addresses;  // "HOST:PORT", best first
  int64_t seenMs = 0;                  // Unix time; 0: never
};

namespace peers {

void put(Database& database, const PeerRow& row);
std::vector<PeerRow> all(Database& database);

}  // namespace peers
}  // namespace hearth::storage
