#pragma once
// Heartbeats (SECURITY.md §5.7): once a day each admin says that it is there and what it has seen, so
// that a device that hears of none for a week knows that it may have missed its own removal. They are
// no ops: the log does not grow by them. Envelope of type hearth/heartbeat/v1:
//
//   b[32] circle_id | b[32] admin | u64 counter | list8<b[32] head>

#include "crypto/membership/log.h"

namespace hearth::crypto {

struct Heartbeat {
  static constexpr size_t HEADS_MAX = 64;
  static constexpr size_t BODY_BYTES_MAX = 32 + 32 + 8 + 1 + HEADS_MAX * OpHash::SIZE;

  CircleId circle;
  DeviceId admin;
  uint64_t counter = 0;
  std::vector<OpHash> heads;

  Buffer seal(const DeviceKeys& own) const;
};

// The newest heartbeat of each active admin.
class Heartbeats final {
 public:
  // Whether it is newer than what was known.
  // Errors: BAD_FORMAT; BAD_SIGNATURE; NOT_AUTHORISED when it is no active admin's.
  Result<bool> take(const MembershipLog& log, Bytes envelope);

  // Of that admin; 0 when there was none.
  uint64_t counterOf(const DeviceId& admin) const;

  // How often anything has changed, and the envelopes that came after the first `seen` changes.
  uint64_t changes() const { return changed; }
  std::vector<Bytes> since(uint64_t seen) const;

 private:
  struct Kept {
    uint64_t counter;
    uint64_t at;  // which change it was
    Buffer envelope;
  };
  std::map<DeviceId, Kept> newest;  // at most DEVICE_IDS_MAX: whoever was an admin once
  uint64_t changed = 0;
};

}  // namespace hearth::crypto
