#pragma once
// Numbers of handshakes, which may never repeat (SECURITY.md §6.2): our own are reserved in blocks,
// so that a crash skips some and repeats none.

#include "core/base/ids.h"
#include "storage/sql/database.h"

#include <map>

namespace hearth::storage::counters {

constexpr uint64_t INIT_COUNTER_BLOCK = 1'024;

// The first number of a block that is ours once this is committed. The first of all is 1.
uint64_t reserveInitCounters(Database& database);

void setAccepted(Database& database, const DeviceId& device, uint64_t counter);
std::map<DeviceId, uint64_t> allAccepted(Database& database);

}  // namespace hearth::storage::counters
