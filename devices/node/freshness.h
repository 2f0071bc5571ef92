#pragma once
// What a device remembers of how new everything is (SECURITY.md §5.7), in the setting "freshness":
//
//   u8 1 | u8 forgot | u64 heartbeat | u64 silence_s | list16<b[32] device in quarantine, ascending>

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

#include <set>

namespace hearth::devices {

struct Freshness {
  static constexpr size_t QUARANTINED_MAX = 512;  // ids of a circle

  // This device was put back to an older copy of its disk: until it has heard from others what it had
  // written, it writes nothing, and it goes on under other keys.
  bool forgot = false;
  uint64_t heartbeat = 0;          // counter of its own newest one
  uint64_t silenceS = 0;           // since the last heartbeat of an admin, when this was written
  std::set<DeviceId> quarantined;  // who was found to be such a copy

  crypto::Buffer encode() const;
  // Errors: BAD_FORMAT.
  static Result<Freshness> decode(crypto::Bytes bytes);
};

}  // namespace hearth::devices
