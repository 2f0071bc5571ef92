#include "transport/link/rekeying.h"

namespace hearth::transport {

Rekeying::Step Rekeying::wants(kj::TimePoint now, kj::byte luck) {
  if (isCalling() || gaveUp) return Step::NONE;
  KJ_IF_MAYBE(at, answeredAt) {
    if (now - *at < crypto::KeyRing::NEXT_FOR) return Step::NONE;
  }
  answeredAt = nullptr;
  callingSince = now;
  pause = RETRY_AFTER;
  retryAt = now + varied(luck);
  return Step::CALL;
}

bool Rekeying::hears(kj::TimePoint now) {
  if (isCalling() && smaller) return false;  // this side's own survives
  KJ_IF_MAYBE(at, heardAt) {
    if (now - *at < CALLS_APART) return false;
  }
  heardAt = now;
  return true;
}

void Rekeying::answers(kj::TimePoint now) {
  retryAt = nullptr;
  answeredAt = now;
}

void Rekeying::settled() {
  retryAt = nullptr;
  answeredAt = nullptr;
}

Rekeying::Step Rekeying::tick(kj::TimePoint now, kj::byte luck) {
  KJ_IF_MAYBE(at, retryAt) {
    if (now < *at) return Step::NONE;
    if (now - callingSince >= GIVE_UP_AFTER) {
      retryAt = nullptr;
      gaveUp = true;
      return Step::GIVE_UP;
    }
    pause = kj::min(pause * 2, RETRY_AFTER_MAX);
    retryAt = kj::min(now + varied(luck), callingSince + GIVE_UP_AFTER);
    return Step::CALL;
  }
  return Step::NONE;
}

// Between 80 and 120 % of the pause.
kj::Duration Rekeying::varied(kj::byte luck) const {
  return pause * 4 / 5 + pause * 2 / 5 * static_cast<int64_t>(luck) / 255;
}

}  // namespace hearth::transport
