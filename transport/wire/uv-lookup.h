#pragma once
// Names of hosts, looked up on libuv's worker threads.

#include "core/loop/uv-event-port.h"
#include "transport/wire/socket-address.h"

#include <kj/async.h>

#include <vector>

namespace hearth::transport {

// More are not tried: a name belongs to somebody else, who may give it thousands.
constexpr size_t ADDRESSES_OF_NAME_MAX = 8;

// The addresses that a name stands for, in the order in which to call them; none: nobody knows it.
kj::Promise<std::vector<SocketAddress>> lookUp(UvEventPort& port, kj::StringPtr host);

// RFC 8305 §4: the families take turns, beginning with that of the first, so that one that leads
// nowhere costs a single attempt.
std::vector<SocketAddress> interleaved(const std::vector<SocketAddress>& addresses);

}  // namespace hearth::transport
