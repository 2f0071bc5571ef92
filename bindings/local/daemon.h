#pragma once
// The Daemon capability of bindings.capnp over a node.

#include "bindings/bindings.capnp.h"
#include "devices/node/node.h"

namespace hearth::local {

// `node` and `timer` outlive the capability. `startedAt`: when the daemon began.
Daemon::Client daemonFor(devices::Node& node, kj::Timer& timer, kj::TimePoint startedAt);

}  // namespace hearth::local
