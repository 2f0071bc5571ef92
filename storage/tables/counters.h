#pragma once
// Numbers that must never go back, as a hash chain of what each was raised to:
//
//   row = u8 kind | b[32] device_id | u64 value      kind 1: own init_counter, reserved below value
//                                                          (device_id zero)
//                                                    kind 2: greatest accepted from that device

#include "storage/sql/database.h"

#include <map>

namespace hearth::storage::counters {

// Own numbers are handed out in blocks, so that a handshake does not wait for the disk.
constexpr uint64_t INIT_COUNTER_BLOCK = 1'024;

// Rows kept; then the current values are written anew and the rows before them forgotten.
constexpr size_t ROWS_MAX = 4'096;

// Reserves first..first + INIT_COUNTER_BLOCK - 1 for ever and returns first, 1 the first time.
uint64_t reserveInitCounters(Database& db);

// Remembers that `value` has been accepted from the device. A smaller value changes nothing.
void setAccepted(Database& db, const DeviceId& device, uint64_t value);

// Greatest accepted value of each device.
std::map<DeviceId, uint64_t> allAccepted(Database& db);

}  // namespace hearth::storage::counters
