#pragma once
// Somebody who sees every packet and holds no key: keeps calls, to make them again, and looks for
// what must not show even so. Two records of one link that begin with the same ciphertext were sealed
// under the same key with the same nonce: their frames' heads are often alike, the key stream never.

#include "simulator/wire/terrain.h"

#include <kj/array.h>

namespace hearth::sim {

class Eavesdropper final {
 public:
  static constexpr size_t LINKS_MAX = 64;       // whose records are compared, the newest
  static constexpr size_t RECORDS_MAX = 1'024;  // of each

  void heard(uint64_t connection, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes);

  // The newest call to a device: the first message of a handshake.
  kj::Maybe<kj::ArrayPtr<const kj::byte>> callTo(DeviceIndex device) const;

  // Records that were sealed as one before them.
  uint64_t repeats() const { return repeatCount; }

 private:
  std::map<DeviceIndex, kj::Array<kj::byte>> calls;
  std::map<uint64_t, std::set<uint64_t>> heads;  // of records, by connection
  uint64_t repeatCount = 0;

  void compare(uint64_t connection, kj::ArrayPtr<const kj::byte> body);
};

}  // namespace hearth::sim
