#pragma once
// What the kernel has measured of a TCP connection (TCP_INFO).

#include <kj/async-io.h>

namespace hearth::transport {

struct TcpFacts {
  double rttS;          // smoothed round trip, seconds
  double bandwidthBps;  // delivery rate, bytes a second; below 0 where the sender was never limited
  // The same where it was not: the path carries that, and perhaps more; below 0: none.
  double atLeastBps;
};

// None for a stream that is not TCP.
kj::Maybe<TcpFacts> tcpFactsOf(kj::AsyncIoStream& stream);

// How much the kernel may hold that it has not sent yet (TCP_NOTSENT_LOWAT): what it holds cannot be
// overtaken by a more urgent lane. Of a stream that is not TCP nothing is asked.
void boundUnsent(kj::AsyncIoStream& stream, size_t bytes);

}  // namespace hearth::transport
