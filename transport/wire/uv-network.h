#pragma once
// The Wire seam's real side: TCP and UDP over IPv4 and IPv6, and Unix sockets, through libuv.
//
// Addresses: "192.0.2.7:4711", "[2001:db8::7]:4711", "host.example:4711", "*:4711" (all interfaces,
// for listening), "unix:/path/to/socket". Port 0 listens on any free port.

#include "core/base/result.h"
#include "core/loop/uv-event-port.h"
#include "transport/wire/socket-address.h"

#include <kj/async-io.h>

#include <sys/types.h>
#include <vector>

namespace hearth::transport {

class UvNetwork final: public kj::Network {
 public:
  explicit UvNetwork(UvEventPort& port): port(port) {}

  // Throws FAILED with one line when the text is no address or a name is not known.
  kj::Promise<kj::Own<kj::NetworkAddress>> parseAddress(
      kj::StringPtr text, kj::uint portHint = 0) override;

  // Connects to the first of the addresses that answers, as a name with several of them does. Listens
  // on the first. Requires at least one.
  kj::Own<kj::NetworkAddress> anyOf(std::vector<SocketAddress> addresses);

  kj::Own<kj::NetworkAddress> getSockaddr(const void* sockaddr, kj::uint length) override;

  // Hearth decides by keys who may speak, never by address: throws UNIMPLEMENTED.
  kj::Own<kj::Network> restrictPeers(kj::ArrayPtr<const kj::StringPtr> allow,
      kj::ArrayPtr<const kj::StringPtr> deny = nullptr) override;

 private:
  UvEventPort& port;
};

// Who is at the other end of a Unix socket (SO_PEERCRED).
struct PeerCredentials {
  uid_t uid;
  pid_t pid;
};
PeerCredentials credentialsOf(kj::AsyncIoStream& unixStream);

// "HOST:PORT" of a TCP stream's own end or its peer's.
kj::String localAddressOf(kj::AsyncIoStream& stream);
kj::String peerAddressOf(kj::AsyncIoStream& stream);

// The addresses of this machine's interfaces that another device could use, without ports. IPv6
// link-local ones are left out: they mean nothing without an interface.
kj::Array<kj::String> interfaceAddresses();

}  // namespace hearth::transport
