#include "transport/wire/socket-address.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

namespace hearth::transport {

namespace {
constexpr kj::uint PORT_MAX = 65'535;

const struct sockaddr_un& asUnix(const SocketAddress& address) {
  return reinterpret_cast<const struct sockaddr_un&>(address.storage);
}
const struct sockaddr_in& asIp4(const SocketAddress& address) {
  return reinterpret_cast<const struct sockaddr_in&>(address.storage);
}
const struct sockaddr_in6& asIp6(const SocketAddress& address) {
  return reinterpret_cast<const struct sockaddr_in6&>(address.storage);
}
}  // namespace

kj::StringPtr SocketAddress::unixPath() const {
  KJ_REQUIRE(isUnix());
  return asUnix(*this).sun_path;
}

kj::uint SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(asIp4(*this).sin_port);
  if (family() == AF_INET6) return ntohs(asIp6(*this).sin6_port);
  return 0;
}

void SocketAddress::setPort(kj::uint port) {
  auto network = htons(static_cast<uint16_t>(port));
  if (family() == AF_INET) reinterpret_cast<struct sockaddr_in&>(storage).sin_port = network;
  if (family() == AF_INET6) reinterpret_cast<struct sockaddr_in6&>(storage).sin6_port = network;
}

kj::String SocketAddress::toString() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &asIp4(*this).sin_addr, text, sizeof(text));
    return kj::str(text, ':', port());
  }
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &asIp6(*this).sin6_addr, text, sizeof(text));
    return kj::str('[', text, "]:", port());
  }
  return isUnix() ? kj::str("unix:", unixPath()) : kj::str("(no address)");
}

SocketAddress SocketAddress::from(const void* sockaddr, socklen_t length) {
  SocketAddress address;
  KJ_REQUIRE(length <= sizeof(address.storage), length);
  memcpy(&address.storage, sockaddr, length);
  address.length = length;
  return address;
}

kj::Maybe<SocketAddress> SocketAddress::numeric(kj::StringPtr host, kj::uint port) {
  struct sockaddr_in ip4;
  struct sockaddr_in6 ip6;
  auto number = static_cast<int>(port);
  if (host == "*") host = "::";
  if (uv_ip4_addr(host.cStr(), number, &ip4) == 0) return from(&ip4, sizeof(ip4));
  if (uv_ip6_addr(host.cStr(), number, &ip6) == 0) return from(&ip6, sizeof(ip6));
  return nullptr;
}

SocketAddress SocketAddress::unixSocket(kj::StringPtr path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  KJ_REQUIRE(path.size() > 0 && path.size() < sizeof(address.sun_path),
      "a path that no Unix socket can have", path);
  memcpy(address.sun_path, path.begin(), path.size());
  return from(&address, sizeof(address));
}

HostAndPort splitHostPort(kj::StringPtr text, kj::uint portHint) {
  bool bracketed = text.startsWith("[");
  size_t hostEnd = text.size();
  if (bracketed) {
    hostEnd = KJ_REQUIRE_NONNULL(text.findFirst(']'), "an address without its ']'", text);
  } else KJ_IF_MAYBE(colon, text.findLast(':')) {
    // More than one colon and no brackets: an IPv6 address without a port.
    if (text.findFirst(':') == text.findLast(':')) hostEnd = *colon;
  }
  auto host = text.slice(bracketed ? 1 : 0, hostEnd);
  auto rest = text.slice(hostEnd + (bracketed ? 1 : 0));
  if (rest.size() == 0) return {kj::str(host), portHint};
  auto port = rest.slice(1).tryParseAs<uint32_t>();
  KJ_REQUIRE(rest[0] == ':' && port.orDefault(PORT_MAX + 1) <= PORT_MAX, "no such port", text);
  return {kj::str(host), port.orDefault(0)};
}

}  // namespace hearth::transport
