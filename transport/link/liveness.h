#pragma once
// Decides whether the peer of a link is still there, and gives it signs of life. A pure machine; any
// authentic record counts as such a sign, and each call brings the time.
//
//            silence > pingAfter            silence > lostAfter
//   QUIET ─────────────────────▶ ASKED ─────────────────────▶ LOST (for good; a new link begins)
//     ▲            heard            │
//     └─────────────────────────────┘        on the way, where somebody waits: doubt, after DOUBT_AFTER
//
// A PING waits behind what the carrier has taken before it, and over a thin line that may be more than
// a peer has time to answer. So whoever hears the peer's streams says something every now and then: a
// sender whose bytes still arrive hears so, however far back in the queue its question is.
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
  // Where somebody waits: so long after a peer's stream was heard it hears something of this side.
  static constexpr kj::Duration SIGN_AFTER = 100 * kj::MILLISECONDS;
  // Where somebody waits: of silence; another way to the peer is tried before this one is given up.
  static constexpr kj::Duration DOUBT_AFTER = 200 * kj::MILLISECONDS;

  struct Effects {
    bool ping = false;
    bool sign = false;   // of life, to the peer
    bool doubt = false;  // once for each silence
    bool lost = false;
  };

  explicit Liveness(kj::TimePoint now): lastHeard(now), lastPing(now) {}

  void heard(kj::TimePoint now);

  // Something was sent that the peer must react to.
  void sent(kj::TimePoint now);

  // The peer's streams were heard: it may wait for a sign of life.
  void owe(kj::TimePoint now);
  // Something was said, whatever it was.
  void said() { owedSince = nullptr; }

  // Somebody waits for the peer now, or nobody does any more.
  void attend(bool attentive, kj::TimePoint now);

  // Call when wakeAt() has come; calling early is harmless.
  Effects tick(kj::TimePoint now);

  // None: nothing to watch for.
  kj::Maybe<kj::TimePoint> wakeAt() const;

  bool isAttentive() const { return attentive; }
  // Since it has not answered for so long.
  bool isInDoubt() const { return doubting; }
  kj::TimePoint heardAt() const { return lastHeard; }

 private:
  bool attentive = false;
  bool expecting = false;  // an answer, on a link that nobody attends to
  kj::TimePoint lastHeard;
  kj::TimePoint lastPing;
  bool doubting = false;
  kj::Maybe<kj::TimePoint> owedSince;  // a sign of life

  const Timing& timing() const { return attentive ? ATTENTIVE : RELAXED; }
};

}  // namespace hearth::transport
