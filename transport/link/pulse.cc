#include "transport/link/pulse.h"

namespace hearth::transport {

Pulse::Pulse(kj::Timer& timer, Host& host): timer(timer), host(host), liveness(timer.now()) {}

kj::Promise<void> Pulse::watch() {
  for (;;) {
    auto due = liveness.wakeAt();
    watchesUntil = due;
    KJ_IF_MAYBE(at, due) {
      co_await timer.atTime(*at).exclusiveJoin(watcher.wait());
    } else {
      co_await watcher.wait();
    }
    auto effects = liveness.tick(timer.now());
    if (effects.lost) {
      host.silent();
      co_return;
    }
    if (effects.ping) ping();
    if (effects.sign) host.sendSign();
    if (effects.doubt) host.doubtful();
  }
}

void Pulse::expectAnswer() {
  liveness.sent(timer.now());
  // To be woken too early is cheaper than to be told of every frame.
  KJ_IF_MAYBE(due, liveness.wakeAt()) {
    KJ_IF_MAYBE(planned, watchesUntil) {
      if (*planned <= *due) return;
    }
    watcher.ring();
  }
}

void Pulse::attend(bool wanted) {
  if (wanted == liveness.isAttentive()) return;
  liveness.attend(wanted, timer.now());
  watcher.ring();
}

void Pulse::ping() {
  FlatWriter token;
  token.u64(static_cast<uint64_t>((timer.now() - kj::origin<kj::TimePoint>()) / kj::NANOSECONDS));
  pingSentAt = timer.now();
  host.sendPing(token.finish());
}

kj::Maybe<kj::Duration> Pulse::answered(kj::ArrayPtr<const kj::byte> token) {
  FlatReader in(token);
  KJ_IF_MAYBE(sentAt, pingSentAt) {
    auto sent = kj::origin<kj::TimePoint>() + static_cast<int64_t>(in.u64()) * kj::NANOSECONDS;
    if (!in.finish() || sent != *sentAt) return nullptr;
    constexpr double OLD_SHARE = 7.0 / 8;  // RFC 6298's smoothing
    auto took = timer.now() - sent;
    auto sample = static_cast<double>(took / kj::NANOSECONDS) / 1e9;
    rtt = rtt < 0 ? sample : OLD_SHARE * rtt + (1 - OLD_SHARE) * sample;
    pingSentAt = nullptr;
    return took;
  }
  return nullptr;
}

}  // namespace hearth::transport
