#include "storage/tables/counters.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::storage::counters {

namespace {

constexpr kj::StringPtr TABLE = "counters"_kj;

enum class Kind : uint8_t { INIT = 1, ACCEPTED = 2 };

using Values = std::map<std::pair<Kind, DeviceId>, uint64_t>;

// Rows are authenticated: one that does not parse was written by a bug.
Values current(Database& db) {
  Values values;
  auto rows = chain::rows(db, TABLE);
  while (rows.step()) {
    FlatReader in(rows.blob(0));
    auto kind = static_cast<Kind>(in.u8());
    auto device = in.id<DeviceId>();
    auto value = in.u64();
    KJ_ASSERT(in.finish().has_value());
    auto& known = values[{kind, device}];
    known = std::max(known, value);
  }
  return values;
}

void appendRow(Database& db, Kind kind, const DeviceId& device, uint64_t value) {
  FlatWriter row;
  row.u8(static_cast<uint8_t>(kind)).bytes(device.asBytes()).u64(value);
  chain::append(db, TABLE, row.asBytes());
}

void raise(Database& db, Kind kind, const DeviceId& device, uint64_t value) {
  Transaction part(db);
  if (chain::size(db, TABLE) >= ROWS_MAX) {
    auto values = current(db);
    chain::forgetRows(db, TABLE);
    for (auto& [key, known]: values) appendRow(db, key.first, key.second, known);
  }
  appendRow(db, kind, device, value);
  part.commit();
}

}  // namespace

uint64_t reserveInitCounters(Database& db) {
  auto values = current(db);
  auto found = values.find({Kind::INIT, DeviceId()});
  auto first = found == values.end() ? 1 : found->second;
  raise(db, Kind::INIT, DeviceId(), first + INIT_COUNTER_BLOCK);
  return first;
}

void setAccepted(Database& db, const DeviceId& device, uint64_t value) {
  raise(db, Kind::ACCEPTED, device, value);
}

std::map<DeviceId, uint64_t> allAccepted(Database& db) {
  std::map<DeviceId, uint64_t> accepted;
  for (auto& [key, value]: current(db)) {
    if (key.first == Kind::ACCEPTED) accepted[key.second] = value;
  }
  return accepted;
}

}  // namespace hearth::storage::counters
