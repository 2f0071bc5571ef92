#include "crypto/pairing/lock.h"

namespace hearth::crypto {

PairingLock PairingLock::restored(uint8_t failures, bool wasLocked, kj::TimePoint now) {
  PairingLock lock{failures};
  if (wasLocked || failures >= FAILURES_MAX) lock.lockedUntil = now + LOCKED_FOR;
  return lock;
}

bool PairingLock::isLocked(kj::TimePoint now) const {
  KJ_IF_MAYBE(until, lockedUntil) return now < *until;
  return false;
}

bool PairingLock::fail(kj::TimePoint now) {
  if (!isLocked(now) && ++failures >= FAILURES_MAX) lockedUntil = now + LOCKED_FOR;
  return isLocked(now);
}

Result<void> PairingLock::admit(kj::TimePoint now) {
  if (isLocked(now)) return no(Errc::PAIRING_LOCKED, "too many failed attempts: wait ten minutes");
  if (lockedUntil != nullptr) succeed();
  return {};
}

}  // namespace hearth::crypto
