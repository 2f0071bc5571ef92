#include "transport/link/transit.h"

namespace hearth::transport {

namespace {
// By how much one reading of a clock that goes around is ahead of another.
int32_t ahead(uint32_t one, uint32_t other) { return static_cast<int32_t>(one - other); }
}  // namespace

uint32_t Transit::microseconds(kj::TimePoint now) {
  return static_cast<uint32_t>((now - kj::origin<kj::TimePoint>()) / kj::MICROSECONDS);
}

kj::Duration Transit::of(uint32_t sentUs, kj::TimePoint now) {
  auto difference = microseconds(now) - sentUs;
  if (!began) {
    began = true;
    fastest = freshest = difference;
    freshSince = now;
  } else if (now - freshSince >= FASTEST_OF) {
    fastest = freshest;
    freshest = difference;
    freshSince = now;
  }
  if (ahead(freshest, difference) > 0) freshest = difference;
  if (ahead(fastest, difference) > 0) fastest = difference;
  auto queued = int64_t{ahead(difference, fastest)} * kj::MICROSECONDS;
  return queued + shortestRoundTrip.orDefault(0 * kj::SECONDS) / 2;
}

void Transit::roundTrip(kj::Duration measured) {
  shortestRoundTrip = kj::min(measured, shortestRoundTrip.orDefault(measured));
}

}  // namespace hearth::transport
