#pragma once
// A hybrid logical clock (Kulkarni, Demirbas et al., "Logical Physical Clocks", 2014): stamps that grow
// with every event, follow wall time closely, and never fall behind a stamp that was seen. A wall clock
// that runs backwards or jumps costs order nothing.

#include "core/base/result.h"

#include <kj/time.h>

#include <compare>
#include <cstdint>

namespace hearth {

// 48 bits of Unix milliseconds, then 16 bits that count events within one: one number that orders.
struct HlcStamp {
  static constexpr uint64_t COUNT_BITS = 16;

  uint64_t value = 0;

  uint64_t wallMs() const { return value >> COUNT_BITS; }
  uint64_t count() const { return value & ((uint64_t{1} << COUNT_BITS) - 1); }
  auto operator<=>(const HlcStamp&) const = default;
};

class Hlc final {
 public:
  // A stamp that is further ahead of this device's wall clock is refused: one device with a wrong
  // clock must not drag all others along.
  static constexpr kj::Duration AHEAD_MAX = 24 * kj::HOURS;

  explicit Hlc(HlcStamp last = {}): last(last) {}

  // A stamp for an event of this device, greater than any before.
  HlcStamp tick(kj::Date wall);

  // A stamp has come from elsewhere: later ticks are greater.
  // Errors: LIMIT_EXCEEDED when it is more than AHEAD_MAX ahead of `wall`; nothing changes then.
  Result<void> observe(HlcStamp stamp, kj::Date wall);

  HlcStamp newest() const { return last; }

 private:
  HlcStamp last;
};

}  // namespace hearth
