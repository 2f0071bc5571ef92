#include "transport/datagram/congestion.h"

#include <algorithm>

namespace hearth::transport {

void Congestion::arrived(size_t bytes, kj::TimePoint sentAt, bool limited) {
  KJ_IF_MAYBE(since, recoveringSince) {
    if (sentAt <= *since) return;
  }
  if (!limited) return;
  if (window < threshold) {
    window += bytes;
    return;
  }
  acknowledged += bytes;
  if (acknowledged < window) return;
  acknowledged -= window;
  window += datagramBytes;
}

void Congestion::lost(kj::TimePoint newestSentAt, kj::TimePoint now) {
  KJ_IF_MAYBE(since, recoveringSince) {
    if (newestSentAt <= *since) return;
  }
  recoveringSince = now;
  window = threshold = std::max(window / 2, least());
  acknowledged = 0;
}

void Congestion::collapsed() {
  window = least();
  recoveringSince = nullptr;
}

bool Pacer::allows(const Congestion& congestion, const RoundTrip& roundTrip, kj::TimePoint now) {
  constexpr double FASTER = 1.25;
  auto tripNs =
      static_cast<double>(kj::max(roundTrip.smoothed(), 1 * kj::MICROSECONDS) / kj::NANOSECONDS);
  auto bytesPerNs = FASTER * static_cast<double>(congestion.windowBytes()) / tripNs;
  auto elapsedNs = static_cast<double>((now - filledAt) / kj::NANOSECONDS);
  auto most = std::max(
      static_cast<double>(burst), bytesPerNs * static_cast<double>(TICK / kj::NANOSECONDS));
  budget = std::min(most, budget + elapsedNs * bytesPerNs);
  filledAt = now;
  if (budget > 0) return true;
  nextAt = now + static_cast<int64_t>(1 - budget / bytesPerNs) * kj::NANOSECONDS;
  return false;
}

}  // namespace hearth::transport
