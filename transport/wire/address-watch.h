#pragma once
// The addresses of this machine on its links, and when they are others (rtnetlink).

#include "transport/wire/socket-address.h"
#include "transport/wire/uv-descriptor.h"

#include <vector>

namespace hearth::transport {

struct LinkAddress {
  unsigned interface;  // its index
  SocketAddress address;
  bool operator==(const LinkAddress& other) const;
};

// Where devices on the same links reach this machine, by interfaces that are up and know
// multicast, the loopback aside. Of IPv6 the link-local address alone, where an interface has one: it
// says least.
std::vector<LinkAddress> linkAddresses();

class AddressWatch final {
 public:
  // Several changes come together: an interface goes up, gets one address, then another one.
  static constexpr kj::Duration SETTLE = 500 * kj::MILLISECONDS;

  // `port` outlives it. Throws where the kernel does not tell.
  explicit AddressWatch(UvEventPort& port);

  // Resolves when linkAddresses() are others than at the last time, or at the construction.
  kj::Promise<void> changed();

 private:
  UvEventPort& port;
  UvDescriptor descriptor;
  std::vector<LinkAddress> known;

  void drain();
};

}  // namespace hearth::transport
