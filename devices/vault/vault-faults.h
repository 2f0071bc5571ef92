#pragma once
// What VAULTs were found to have lost or changed, against what their writers have signed: for people, and for whoever
// reads there.

#include "storage/blob/sealed-file.h"

#include <kj/debug.h>

#include <map>

namespace hearth::devices {

class VaultFaults final {
 public:
  static constexpr size_t MAX = 256;  // that are told one by one

  void add(const DeviceId& vault, const storage::BlobFault& fault) {
    auto key = std::pair(vault, fault.item);
    if (found.contains(key) || found.size() >= MAX) return;
    KJ_LOG(ERROR, "a VAULT does not have what it took as it took it", vault, fault);
    found.emplace(key, fault);
  }
  const std::map<std::pair<DeviceId, storage::BlobId>, storage::BlobFault>& all() const {
    return found;
  }

 private:
  std::map<std::pair<DeviceId, storage::BlobId>, storage::BlobFault> found;
};

}  // namespace hearth::devices
