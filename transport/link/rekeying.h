#pragma once
// When a link makes new keys, and who of the two does (SECURITY.md §6.4). A pure machine.
//
//            due, and something is sent                5 s, 10 s, 20 s ... without an answer: again
//   CALM ─────────────────────────────────▶ CALLING ──────────────────────────────────────────────▶ ...
//    ▲  ▲          answered                    │  │                                   90 s: the link ends
//    │  └──────────────────────────────────────┘  │ the peer calls too, and its id is the smaller one
//    │      first record under them, or 10 s      ▼
//    └─────────────────────────────────────── ANSWERED ◀── the peer calls
//
// An idle link stays as it is: its keys expire, and whoever wants to send calls first.

#include "crypto/handshake/key-ring.h"

namespace hearth::transport {

class Rekeying final {
 public:
  static constexpr kj::Duration RETRY_AFTER = 5 * kj::SECONDS;  // doubling, +-20 %
  static constexpr kj::Duration RETRY_AFTER_MAX = 300 * kj::SECONDS;
  static constexpr kj::Duration GIVE_UP_AFTER = 90 * kj::SECONDS;
  // A peer that calls more often makes this device compute for nothing.
  static constexpr kj::Duration CALLS_APART = 1 * kj::SECONDS;

  enum class Step : uint8_t { NONE, CALL, GIVE_UP };

  // `smaller`: this device's id is the smaller one of the two.
  explicit Rekeying(bool smaller): smaller(smaller) {}

  // Something is to be sent under keys that are due, or gone. `luck` is a random byte.
  Step wants(kj::TimePoint now, kj::byte luck);

  // The peer calls. Whether its message is worth a look; it is counted.
  bool hears(kj::TimePoint now);

  // The peer's call is good and is answered now: a call of this side's is over.
  void answers(kj::TimePoint now);

  // Both sides have the same new keys.
  void settled();

  Step tick(kj::TimePoint now, kj::byte luck);
  kj::Maybe<kj::TimePoint> wakeAt() const { return retryAt; }
  bool isCalling() const { return retryAt != nullptr; }

 private:
  bool smaller;
  kj::Maybe<kj::TimePoint> retryAt;  // none: this side does not call
  kj::TimePoint callingSince = kj::origin<kj::TimePoint>();
  kj::Duration pause = RETRY_AFTER;
  kj::Maybe<kj::TimePoint> heardAt;
  kj::Maybe<kj::TimePoint> answeredAt;
  bool gaveUp = false;  // for good: the link ends

  kj::Duration varied(kj::byte luck) const;
};

}  // namespace hearth::transport
