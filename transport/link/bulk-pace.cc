#include "transport/link/bulk-pace.h"

#include <algorithm>

namespace hearth::transport {

// Faster at once, slower by and by: one sample of a path that stuttered is no reason to write in crumbs.
void BulkPace::measured(double bytesPerSecond, bool atLeast, kj::TimePoint now) {
  dueAt = now + MEASURE_EVERY;
  if (bytesPerSecond < 0) return;
  constexpr double OLD_SHARE = 7.0 / 8;
  if (bytesPerSecond >= rate) {
    rate = bytesPerSecond;
  } else if (!atLeast) {
    rate = OLD_SHARE * rate + (1 - OLD_SHARE) * bytesPerSecond;
  }
}

size_t BulkPace::shareWithin(size_t least, size_t most) const {
  auto share = rate * static_cast<double>(SHARE / kj::MICROSECONDS) / 1e6;
  if (share <= static_cast<double>(least)) return least;
  return share >= static_cast<double>(most) ? most : static_cast<size_t>(share);
}

size_t BulkPace::recordBytes() const { return shareWithin(RECORD_BYTES_LEAST, RECORD_BYTES_MAX); }

kj::Maybe<size_t> BulkPace::unsentToSay() {
  auto now = shareWithin(UNSENT_BYTES_LEAST, UNSENT_BYTES_MAX);
  auto change = std::max(now, said) - std::min(now, said);
  if (change * 4 < said || change == 0) return nullptr;
  return said = now;
}

}  // namespace hearth::transport
