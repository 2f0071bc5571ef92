#pragma once
// The local link by DNS-SD over multicast DNS: libavahi-core inside this process, without a daemon and
// without D-Bus. It stands beside another responder of the machine, if there is one.
//
// What goes out: the service's PTR, SRV and an empty TXT under the name that was given, and this machine's
// addresses on each link under a host name drawn by chance. The machine's own name, its kind, a
// cookie and reverse records never do; the last would also clash with another responder's. Avahi
// asks again at growing intervals, up to one hour (RFC 6762 §5.2).

#include "core/entropy/entropy.h"
#include "core/loop/uv-event-port.h"
#include "transport/discovery/local-link.h"

namespace hearth::transport {

// None where the machine lets nobody listen. `port` and `entropy` outlive what is returned.
kj::Maybe<kj::Own<LocalLink>> openAvahiLink(UvEventPort& port, Entropy& entropy);

}  // namespace hearth::transport
