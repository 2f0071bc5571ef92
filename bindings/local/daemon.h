#pragma once
// The Daemon capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "devices/node/node.h"

namespace hearth::local {

// While it lives, whoever holds a client may ask the node. When it is destroyed, what was asked is
// broken off and every client is dead: it may go before the event loop does, as in a simulated world.
class DaemonDoor final {
 public:
  // Both outlive the door. `startedAt`: when the daemon began.
  DaemonDoor(devices::Node& node, kj::Timer& timer, kj::TimePoint startedAt);
  ~DaemonDoor() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(DaemonDoor);

  Daemon::Client client();

 private:
  struct Inside;
  kj::Own<Inside> inside;
};

}  // namespace hearth::local
