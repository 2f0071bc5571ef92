#pragma once
// Three failed attempts of any method lock pairing for ten minutes. A plain value: whoever keeps it
// stores failures and isLocked before the next attempt, so that a restart does not unlock. The clock
// is monotonic and starts anew with the process, so a lock that was stored begins its time again.

#include "core/base/result.h"

#include <kj/time.h>

namespace hearth::crypto {

struct PairingLock {
  static constexpr uint8_t FAILURES_MAX = 3;
  static constexpr kj::Duration LOCKED_FOR = 10 * kj::MINUTES;

  uint8_t failures = 0;
  kj::Maybe<kj::TimePoint> lockedUntil = nullptr;

  static PairingLock restored(uint8_t failures, bool wasLocked, kj::TimePoint now);

  bool isLocked(kj::TimePoint now) const;

  // Call for each attempt that counts as a try. Returns whether pairing is locked now.
  bool fail(kj::TimePoint now);
  void succeed() { *this = PairingLock(); }

  // Forgets a lock whose time is over. Errors: PAIRING_LOCKED while it is not.
  Result<void> admit(kj::TimePoint now);
};

}  // namespace hearth::crypto
