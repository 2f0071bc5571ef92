#include "transport/link/liveness.h"

namespace hearth::transport {

void Liveness::heard(kj::TimePoint now) {
  lastHeard = now;
  expecting = false;
}

void Liveness::sent(kj::TimePoint now) {
  if (attentive || expecting) return;
  expecting = true;
  lastHeard = now;  // silence counts from the moment in which an answer could be expected
}

void Liveness::attend(bool nowAttentive, kj::TimePoint now) {
  if (nowAttentive && !attentive) lastHeard = now;
  attentive = nowAttentive;
}

Liveness::Effects Liveness::tick(kj::TimePoint now) {
  Effects effects;
  auto due = wakeAt();
  if (due == nullptr) return effects;
  KJ_IF_MAYBE(planned, due) {
    if (now - *planned > LATENESS_MAX) lastHeard = kj::max(lastHeard, now - timing().pingAfter);
  }
  effects.lost = now - lastHeard >= timing().lostAfter;
  auto quiet = now - kj::max(lastHeard, lastPing);
  if (!effects.lost && quiet >= timing().pingAfter) {
    effects.ping = true;
    lastPing = now;
  }
  return effects;
}

kj::Maybe<kj::TimePoint> Liveness::wakeAt() const {
  if (!attentive && !expecting) return nullptr;
  auto nextPing = kj::max(lastHeard, lastPing) + timing().pingAfter;
  return kj::min(nextPing, lastHeard + timing().lostAfter);
}

}  // namespace hearth::transport
