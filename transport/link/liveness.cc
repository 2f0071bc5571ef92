#include "transport/link/liveness.h"

namespace hearth::transport {

void Liveness::heard(kj::TimePoint now) {
  lastHeard = now;
  expecting = false;
  doubting = false;
}

void Liveness::owe(kj::TimePoint now) {
  if (owedSince == nullptr) owedSince = now;
}

void Liveness::sent(kj::TimePoint now) {
  if (attentive || expecting) return;
  expecting = true;
  lastHeard = now;  // silence counts from the moment in which an answer could be expected
}

void Liveness::attend(bool nowAttentive, kj::TimePoint now) {
  if (nowAttentive && !attentive) {
    lastHeard = now;
    owedSince = nullptr;
  }
  if (!nowAttentive) doubting = false;
  attentive = nowAttentive;
}

Liveness::Effects Liveness::tick(kj::TimePoint now) {
  Effects effects;
  auto due = wakeAt();
  if (due == nullptr) return effects;
  KJ_IF_MAYBE(planned, due) {
    if (now - *planned > LATENESS_MAX) lastHeard = kj::max(lastHeard, now - timing().pingAfter);
  }
  KJ_IF_MAYBE(since, owedSince) {
    effects.sign = attentive && now - *since >= SIGN_AFTER;
    if (effects.sign) owedSince = nullptr;
  }
  effects.doubt = attentive && !doubting && now - lastHeard >= DOUBT_AFTER;
  doubting |= effects.doubt;
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
  auto first = kj::min(nextPing, lastHeard + timing().lostAfter);
  if (!attentive) return first;
  if (!doubting) first = kj::min(first, lastHeard + DOUBT_AFTER);
  KJ_IF_MAYBE(since, owedSince) first = kj::min(first, *since + SIGN_AFTER);
  return first;
}

}  // namespace hearth::transport
