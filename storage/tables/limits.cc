#include "storage/tables/limits.h"

#include <kj/debug.h>

namespace hearth::storage::limits {

namespace {

bool isRate(uint64_t rate) { return rate == 0 || (RATE_LEAST <= rate && rate <= RATE_MOST); }

}  // namespace

std::map<DeviceId, Rates> all(Database& db) {
  std::map<DeviceId, Rates> found;
  auto select = db.query("SELECT device, up, down FROM limits");
  while (select.step())
    found[DeviceId::from(select.blob(0)).value()] = {
        static_cast<uint64_t>(select.number(1)), static_cast<uint64_t>(select.number(2))};
  return found;
}

Result<void> set(Database& db, const DeviceId& device, const Rates& rates) {
  KJ_REQUIRE(isRate(rates.up) && isRate(rates.down), rates.up, rates.down);
  db.run("DELETE FROM limits WHERE device = ?1", device.asBytes());
  if (rates == Rates()) return {};
  auto count = db.query("SELECT count(*) FROM limits");
  count.step();
  if (static_cast<uint64_t>(count.number(0)) >= DEVICES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "256 devices have limits of their own, and no more can");
  db.run("INSERT INTO limits VALUES (?1, ?2, ?3)", device.asBytes(), rates.up, rates.down);
  return {};
}

Resting resting(Database& db) {
  auto select = db.query("SELECT below, metered, paused_until FROM resting");
  KJ_ASSERT(select.step(), "there is one row, always");
  return {static_cast<uint8_t>(select.number(0)), select.number(1) != 0, select.number(2)};
}

void setResting(Database& db, const Resting& resting) {
  KJ_REQUIRE(resting.belowPercent <= BELOW_MAX, resting.belowPercent);
  db.run("UPDATE resting SET below = ?1, metered = ?2, paused_until = ?3", resting.belowPercent,
      resting.onMetered ? 1 : 0, resting.pausedUntilMs);
}

}  // namespace hearth::storage::limits
