#include "transport/wire/udp-address.h"

#include <kj/debug.h>

#include <netinet/in.h>

namespace hearth::transport {

namespace {
constexpr kj::byte MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr size_t IP4_BYTES = 4;
}  // namespace

bool UdpAddress::isIp4() const { return memcmp(ip, MAPPED, sizeof(MAPPED)) == 0; }

SocketAddress UdpAddress::forFamily(int family) const {
  if (family == AF_INET) {
    KJ_REQUIRE(isIp4(), "an IPv6 address for a socket of IPv4");
    struct sockaddr_in ip4 = {};
    ip4.sin_family = AF_INET;
    ip4.sin_port = htons(port);
    memcpy(&ip4.sin_addr, ip + sizeof(MAPPED), IP4_BYTES);
    return SocketAddress::from(&ip4, sizeof(ip4));
  }
  struct sockaddr_in6 ip6 = {};
  ip6.sin6_family = AF_INET6;
  ip6.sin6_port = htons(port);
  memcpy(&ip6.sin6_addr, ip, IP_BYTES);
  return SocketAddress::from(&ip6, sizeof(ip6));
}

kj::String UdpAddress::toString() const {
  return forFamily(isIp4() ? AF_INET : AF_INET6).toString();
}

UdpAddress UdpAddress::of(const SocketAddress& address) {
  UdpAddress result{.port = static_cast<uint16_t>(address.port())};
  if (address.family() == AF_INET) {
    auto& ip4 = reinterpret_cast<const struct sockaddr_in&>(address.storage);
    memcpy(result.ip, MAPPED, sizeof(MAPPED));
    memcpy(result.ip + sizeof(MAPPED), &ip4.sin_addr, IP4_BYTES);
  } else {
    KJ_REQUIRE(address.family() == AF_INET6, "not an address of the internet");
    auto& ip6 = reinterpret_cast<const struct sockaddr_in6&>(address.storage);
    memcpy(result.ip, &ip6.sin6_addr, IP_BYTES);
  }
  return result;
}

kj::Maybe<UdpAddress> UdpAddress::parse(kj::StringPtr text) {
  auto colon = text.findLast(':');
  if (colon == nullptr || text.endsWith("]")) return nullptr;
  auto [host, port] = splitHostPort(text, 0);
  KJ_IF_MAYBE(address, SocketAddress::numeric(host, port)) return of(*address);
  return nullptr;
}

}  // namespace hearth::transport
