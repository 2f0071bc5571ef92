#include "storage/tables/counters.h"

#include "core/base/flat.h"
#include "storage/tables/settings.h"

namespace hearth::storage::counters {

namespace {
constexpr kj::StringPtr NEXT_SETTING = "init-counter"_kj;
}

uint64_t reserveInitCounters(Database& database) {
  uint64_t first = 1;
  KJ_IF_MAYBE(stored, settings::get(database, NEXT_SETTING)) first = FlatReader(*stored).u64();
  FlatWriter next;
  next.u64(first + INIT_COUNTER_BLOCK);
  settings::set(database, NEXT_SETTING, next.asBytes());
  return first;
}

void setAccepted(Database& database, const DeviceId& device, uint64_t counter) {
  Statement(database, "INSERT OR REPLACE INTO counters (device, accepted) VALUES (?, ?)")
      .bind(device.asBytes())
      .bind(static_cast<int64_t>(counter))
      .run();
}

std::map<DeviceId, uint64_t> allAccepted(Database& database) {
  Statement statement(database, "SELECT device, accepted FROM counters");
  std::map<DeviceId, uint64_t> accepted;
  while (statement.step()) {
    auto device = DeviceId::from(statement.blob(0));
    if (device) accepted[*device] = static_cast<uint64_t>(statement.integer(1));
  }
  return accepted;
}

}  // namespace hearth::storage::counters
