#pragma once
// Where a datagram comes from or goes to, as a small value that compares and orders: an IPv6 address,
// or an IPv4 one mapped into it (::ffff:a.b.c.d), and a port.

#include "transport/wire/socket-address.h"

#include <compare>
#include <cstdint>
#include <cstring>

namespace hearth::transport {

struct UdpAddress {
  static constexpr size_t IP_BYTES = 16;
  kj::byte ip[IP_BYTES] = {};  // network order
  uint16_t port = 0;

  bool isIp4() const;
  std::strong_ordering operator<=>(const UdpAddress& other) const {
    auto ips = memcmp(ip, other.ip, IP_BYTES) <=> 0;
    return ips != 0 ? ips : port <=> other.port;
  }
  bool operator==(const UdpAddress& other) const { return *this <=> other == 0; }

  // As a socket of that family takes it. Requires an IPv4 address where AF_INET is asked for.
  SocketAddress forFamily(int family) const;
  kj::String toString() const;  // "192.0.2.7:4711", "[2001:db8::7]:4711"

  // Requires an address of the internet.
  static UdpAddress of(const SocketAddress& address);

  // From "192.0.2.7:4711" or "[2001:db8::7]:4711"; none: something else stands there.
  static kj::Maybe<UdpAddress> parse(kj::StringPtr text);
};

}  // namespace hearth::transport
