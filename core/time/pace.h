#pragma once
// Keeps a flow to a rate: says how long to wait after so many bytes have passed. What was not used is
// saved up for a second, so that short bursts pass at once.

#include <kj/time.h>

#include <cstddef>
#include <cstdint>

namespace hearth {

class Pace final {
 public:
  static constexpr kj::Duration BURST = 1 * kj::SECONDS;

  // 0: no limit.
  explicit Pace(uint64_t bytesPerS): bytesPerS(bytesPerS) {}

  // `bytes` pass now; nothing more may for so long.
  kj::Duration passed(size_t bytes, kj::TimePoint now);

  // For how long nothing may pass from now on, and what may where that is not at all.
  kj::Duration wait(kj::TimePoint now) const;
  uint64_t left(kj::TimePoint now) const;

 private:
  uint64_t bytesPerS;
  kj::TimePoint due =
      kj::origin<kj::TimePoint>();  // when all that has passed would have, at the rate
};

}  // namespace hearth
