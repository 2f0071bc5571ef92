#include "devices/node/init-counters.h"

#include "storage/tables/counters.h"

namespace hearth::devices {

kj::Promise<uint64_t> InitCounters::next() {
  while (nextCounter == counterLimit) {
    auto first = co_await store.write(
        [](storage::Database& db) { return storage::counters::reserveInitCounters(db); });
    // Two callers may have reserved at once: a block that is skipped costs nothing.
    nextCounter = first;
    counterLimit = first + storage::counters::INIT_COUNTER_BLOCK;
  }
  co_return nextCounter++;
}

uint64_t InitCounters::lastOf(const DeviceId& device) const {
  auto found = newest.find(device);
  return found == newest.end() ? 0 : found->second;
}

kj::Promise<void> InitCounters::accept(const DeviceId& device, uint64_t counter) {
  newest[device] = counter;
  return store.write([device, counter](storage::Database& db) {
    storage::counters::setAccepted(db, device, counter);
  });
}

}  // namespace hearth::devices
