#include "core/time/pace.h"

#include <kj/common.h>

namespace hearth {

kj::Duration Pace::passed(size_t bytes, kj::TimePoint now) {
  if (bytesPerS == 0) return 0 * kj::SECONDS;
  auto nanoseconds =
      static_cast<int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(bytesPerS));
  due = kj::max(due, now) + nanoseconds * kj::NANOSECONDS;
  return wait(now);
}

kj::Duration Pace::wait(kj::TimePoint now) const {
  return kj::max(due - now - BURST, 0 * kj::SECONDS);
}

uint64_t Pace::left(kj::TimePoint now) const {
  if (bytesPerS == 0) return UINT64_MAX;
  auto room = now + BURST - kj::max(due, now);
  if (room <= 0 * kj::SECONDS) return 0;
  auto share = static_cast<double>(room / kj::NANOSECONDS) / 1e9;
  return static_cast<uint64_t>(share * static_cast<double>(bytesPerS));
}

}  // namespace hearth
