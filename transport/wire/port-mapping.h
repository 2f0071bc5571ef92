#pragma once
// Keeps a port of this device open at its router, where there is one that does this: asks, renews at half
// of the time that was granted, and takes it back in the end. Nothing of it happens on the loop's thread.

#include "core/loop/executor.h"
#include "transport/wire/gateway.h"

#include <kj/function.h>
#include <kj/timer.h>

#include <vector>

namespace hearth::transport {

class PortMapping final {
 public:
  static constexpr kj::Duration ASK_AGAIN_AFTER = 1 * kj::HOURS;  // where nobody gave a port
  static constexpr kj::Duration RENEW_AFTER_MIN = 1 * kj::MINUTES;

  // Where others reach this device from outside now, as texts of paths; empty: nowhere any more.
  using OnChange = kj::Function<void(std::vector<std::string> addresses)>;

  // `worker` may block for seconds. All outlive this object.
  PortMapping(
      kj::Timer& timer, Executor& worker, Gateway& gateway, uint16_t port, OnChange changed);

  // Asks the router to forget the port; this object is of no use afterwards.
  kj::Promise<void> stop();

 private:
  kj::Timer& timer;
  Executor& worker;
  Gateway& gateway;
  uint16_t port;
  OnChange changed;
  kj::Maybe<OutsidePort> known;
  kj::Promise<void> keeping;

  kj::Promise<void> keep();
  static std::vector<std::string> textsOf(const kj::Maybe<OutsidePort>& found);
};

}  // namespace hearth::transport
