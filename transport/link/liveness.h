#pragma once
// Decides whether the peer of a link is still there. A pure machine; any authentic record counts as
// a sign of life, and each call brings the time.
//
//            silence > pingAfter            silence > lostAfter
//   QUIET ─────────────────────▶ ASKED ─────────────────────▶ LOST (for good; a new link begins)
//     ▲            heard            │
//     └─────────────────────────────┘
//
// While somebody waits for the peer (a job's stream is open) the times are short. Otherwise a peer
// is asked only after this side has sent something and heard nothing back, and an idle link is
// silent: it wakes nobody.

#include <kj/common.h>
#include <kj/time.h>

namespace hearth::transport {

class Liveness final {
 public:
  struct Timing {
    kj::Duration pingAfter;
    kj::Duration lostAfter;
  };
  static constexpr Timing ATTENTIVE = {100 * kj::MILLISECONDS, 400 * kj::MILLISECONDS};
  static constexpr Timing RELAXED = {500 * kj::MILLISECONDS, 2000 * kj::MILLISECONDS};
  // Being woken later than this says that this device was busy or asleep: the peer's signs of life
  // may wait in our own buffers, so its silence is counted from now.
  static constexpr kj::Duration LATENESS_MAX = 100 * kj::MILLISECONDS;

  struct Effects {
    bool ping = false;
    bool lost = false;
  };

  explicit Liveness(kj::TimePoint now): lastHeard(now), lastPing(now) {}

  void heard(kj::TimePoint now);

  // Something was sent that the peer must react to.
  void sent(kj::TimePoint now);

  // Somebody waits for the peer now, or nobody does any more.
  void attend(bool attentive, kj::TimePoint now);

  // Call when wakeAt() has come; calling early is harmless.
  Effects tick(kj::TimePoint now);

  // None: nothing to watch for.
  kj::Maybe<kj::TimePoint> wakeAt() const;

  bool isAttentive() const { return attentive; }
  kj::TimePoint heardAt() const { return lastHeard; }

 private:
  bool attentive = false;
  bool expecting = false;  // an answer, on a link that nobody attends to
  kj::TimePoint lastHeard;
  kj::TimePoint lastPing;

  const Timing& timing() const { return attentive ? ATTENTIVE : RELAXED; }
};

}  // namespace hearth::transport
