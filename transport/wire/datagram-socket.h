#pragma once
// Datagrams in batches: what the UDP carrier works on. One system call moves many where the system
// can; over any other kj::DatagramPort (the simulator's) they go one by one.
//
// Lossy by contract: a datagram may vanish, arrive twice, or overtake another, and nobody is told.

#include "transport/wire/udp-address.h"

#include <kj/async-io.h>

namespace hearth::transport {

struct Datagram {
  UdpAddress from;
  kj::ArrayPtr<kj::byte> bytes;
};

class DatagramSocket {
 public:
  // The longest datagram that is received whole; a longer one is cut, and no good then.
  static constexpr size_t DATAGRAM_BYTES_MAX = 65'535;

  // At least one datagram. The views are good, and may be written to, until the next call. One call at
  // a time.
  virtual kj::Promise<kj::ArrayPtr<Datagram>> receive() = 0;

  // `bytes` as datagrams of `each` bytes, the last one with what is left. Never waits: what finds no
  // room or no way is lost.
  virtual void send(const UdpAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each) = 0;

  virtual kj::uint port() = 0;
};

// `network` makes addresses to send to. It outlives the socket.
kj::Own<DatagramSocket> batchesOf(kj::Own<kj::DatagramPort> port, kj::Network& network);

}  // namespace hearth::transport
