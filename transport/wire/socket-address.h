#pragma once
// A socket address of any family as a value, with its text form.

#include <kj/string.h>

#include <sys/socket.h>

namespace hearth::transport {

struct SocketAddress {
  struct sockaddr_storage storage = {};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const struct sockaddr* raw() const { return reinterpret_cast<const struct sockaddr*>(&storage); }
  struct sockaddr* raw() { return reinterpret_cast<struct sockaddr*>(&storage); }
  bool isUnix() const { return family() == AF_UNIX; }
  kj::StringPtr unixPath() const;  // requires isUnix()
  kj::uint port() const;           // 0 for a Unix socket
  void setPort(kj::uint port);

  // "192.0.2.7:4711", "[2001:db8::7]:4711" or "unix:/path".
  kj::String toString() const;

  static SocketAddress from(const void* sockaddr, socklen_t length);

  // None when `host` is not a numeric address (or "*", every interface).
  static kj::Maybe<SocketAddress> numeric(kj::StringPtr host, kj::uint port);

  // Throws when the path is too long for a Unix socket.
  static SocketAddress unixSocket(kj::StringPtr path);
};

// "HOST:PORT", "[HOST]:PORT" or "HOST" cut in two; the port is `portHint` where none is given.
// Throws on a port that is none.
struct HostAndPort {
  kj::String host;
  kj::uint port;
};
HostAndPort splitHostPort(kj::StringPtr text, kj::uint portHint);

}  // namespace hearth::transport
