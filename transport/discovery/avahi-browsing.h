#pragma once
// Listening for one service through libavahi-core. Avahi's callbacks only note what has changed; the
// listener is called later, from a turn of the KJ loop, so that it may call back and may throw.

#include "transport/discovery/local-link.h"

#include <avahi-core/core.h>

namespace hearth::transport {

// `server` and `listener` outlive what is returned.
kj::Own<LocalLink::Browsing> browseWithAvahi(
    AvahiServer* server, const char* type, LocalLink::Listener& listener);

}  // namespace hearth::transport
