#pragma once
// Whether the peer of a link still lives, and how far away it is: asks it with PING when it has been silent
// for long (liveness.h says when), and measures the way there and back by the answers.

#include "core/base/flat.h"
#include "transport/link/lane-stream.h"
#include "transport/link/liveness.h"

namespace hearth::transport {

class Pulse final {
 public:
  static constexpr size_t TOKEN_BYTES = 8;

  class Host {
   public:
    virtual void sendPing(kj::Array<kj::byte> token) = 0;

    // Anything that the peer hears.
    virtual void sendSign() = 0;

    // It has not answered in time; it may do so yet.
    virtual void doubtful() = 0;

    // For good.
    virtual void silent() = 0;
  };

  // Both outlive it.
  Pulse(kj::Timer& timer, Host& host);

  // Watches until it throws or the promise is dropped.
  kj::Promise<void> watch();

  // Any record that opened.
  void heard() { liveness.heard(timer.now()); }

  // The peer's streams were heard; and something was said to it.
  void owe() { liveness.owe(timer.now()); }
  void said() { liveness.said(); }

  // Something was sent that the peer must react to.
  void expectAnswer();

  // Somebody waits for the peer now, or nobody does any more.
  void attend(bool wanted);

  void ping();
  // Gives how long the way there and back took, where it is the answer to the newest PING.
  kj::Maybe<kj::Duration> answered(kj::ArrayPtr<const kj::byte> token);

  bool isInDoubt() const { return liveness.isInDoubt(); }
  kj::Duration silence() const { return timer.now() - liveness.heardAt(); }
  double rttS() const { return rtt; }  // below 0: not measured

 private:
  kj::Timer& timer;
  Host& host;
  Liveness liveness;
  Bell watcher;
  kj::Maybe<kj::TimePoint> watchesUntil;
  kj::Maybe<kj::TimePoint> pingSentAt;
  double rtt = -1;
};

}  // namespace hearth::transport
