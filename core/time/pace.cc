#include "core/time/pace.h"

#include <kj/common.h>

namespace hearth {

kj::Duration Pace::passed(size_t bytes, kj::TimePoint now) {
  if (bytesPerS == 0) return 0 * kj::SECONDS;
  auto nanoseconds =
      static_cast<int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(bytesPerS));
  due = kj::max(due, now) + nanoseconds * kj::NANOSECONDS;
  return kj::max(due - now - BURST, 0 * kj::SECONDS);
}

}  // namespace hearth
