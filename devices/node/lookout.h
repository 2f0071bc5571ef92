#pragma once
// Looks on the local link for new devices that show a code (SECURITY.md §4): each is advertised by a
// random name and a port, no more. Whoever is on the link can be advertised so: what comes of this is
// where to call, and the code proves the rest.

#include "transport/discovery/local-link.h"

#include <kj/timer.h>

namespace hearth::devices {

constexpr kj::Duration LOOK_FOR = 3 * kj::SECONDS;  // answers come within two
constexpr size_t WAITING_MAX = 16;                  // more than that are not looked for

// Where each waits, "HOST:PORT". `link` and `timer` outlive the promise.
kj::Promise<std::vector<std::string>> lookForWaiting(transport::LocalLink& link, kj::Timer& timer);

}  // namespace hearth::devices
