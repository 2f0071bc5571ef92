#pragma once
// What this device's owner has said of how much it sends and fetches: bandwidth, and when bulk transfer rests. It is the
// device's own and never travels.

#include "storage/sql/database.h"

#include <map>

namespace hearth::storage::limits {

constexpr size_t DEVICES_MAX = 256;  // that have limits of their own
constexpr uint64_t RATE_LEAST = 32
    << 10;  // bytes a second: with less, peers take a device for stalled
constexpr uint64_t RATE_MOST = uint64_t{1} << 40;       // bytes a second
constexpr uint8_t BELOW_DEFAULT = 20, BELOW_MAX = 101;  // percent; 0: never, 101: always on battery
constexpr int64_t UNTIL_RESUMED = INT64_MAX;

// Bytes a second; 0: as fast as it goes.
struct Rates {
  uint64_t up = 0, down = 0;

  bool operator==(const Rates&) const = default;
};

struct Resting {
  uint8_t belowPercent = BELOW_DEFAULT;  // of a battery that is not charging
  bool onMetered = true;
  int64_t pausedUntilMs = 0;  // Unix time; UNTIL_RESUMED: for as long as nobody says otherwise

  bool operator==(const Resting&) const = default;
};

// All inside a transaction, where they change something.

// By device; zero: all devices together.
std::map<DeviceId, Rates> all(Database& db);
// Requires rates that are 0, or RATE_LEAST to RATE_MOST. Errors: LIMIT_EXCEEDED.
Result<void> set(Database& db, const DeviceId& device, const Rates& rates);

Resting resting(Database& db);
void setResting(Database& db, const Resting& resting);

}  // namespace hearth::storage::limits
