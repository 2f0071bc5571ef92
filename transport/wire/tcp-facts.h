#pragma once
// What the kernel has measured of a TCP connection (TCP_INFO).

#include <kj/async-io.h>

namespace hearth::transport {

struct TcpFacts {
  double rttS;          // smoothed round trip, seconds
  double bandwidthBps;  // delivery rate, bytes a second; below 0 where the sender was never limited
};

// None for a stream that is not TCP.
kj::Maybe<TcpFacts> tcpFactsOf(kj::AsyncIoStream& stream);

}  // namespace hearth::transport
