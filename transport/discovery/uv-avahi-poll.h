#pragma once
// The event loop that libavahi-core asks for (AvahiPoll), on libuv: its sockets and its one timeout.
// Handles belong to libuv until it has closed them, which may be after Avahi has let go of them.

#include "core/loop/uv-event-port.h"

#include <avahi-common/watch.h>

namespace hearth::transport {

// Refers to `port`, which outlives whatever was given this.
AvahiPoll avahiPollOn(UvEventPort& port);

}  // namespace hearth::transport
