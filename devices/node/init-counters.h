#pragma once
// The numbers that make handshakes unrepeatable: this device's own, which are reserved on disk in blocks
// before anybody sees one, and the newest that it has accepted from each other device.

#include "core/base/ids.h"
#include "storage/sql/store.h"

#include <map>

namespace hearth::devices {

class InitCounters final {
 public:
  // `store` outlives this object.
  InitCounters(storage::Store& store, std::map<DeviceId, uint64_t> accepted)
      : store(store),
        newest(kj::mv(accepted)) {}

  kj::Promise<uint64_t> next();

  const std::map<DeviceId, uint64_t>& accepted() const { return newest; }
  uint64_t lastOf(const DeviceId& device) const;
  // Resolves when it is on disk.
  kj::Promise<void> accept(const DeviceId& device, uint64_t counter);

 private:
  storage::Store& store;
  std::map<DeviceId, uint64_t> newest;
  uint64_t nextCounter = 0, counterLimit = 0;  // the block that was reserved
};

}  // namespace hearth::devices
