#include "transport/wire/address-watch.h"

#include <kj/debug.h>

#include <algorithm>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <set>
#include <unistd.h>

namespace hearth::transport {

namespace {

bool isLinkLocal(const struct sockaddr* address) {
  return address->sa_family == AF_INET6 &&
      IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const struct sockaddr_in6*>(address)->sin6_addr);
}

kj::AutoCloseFd openNetlink() {
  int fd;
  KJ_SYSCALL(fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  kj::AutoCloseFd owned(fd);
  struct sockaddr_nl groups = {};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  KJ_SYSCALL(bind(fd, reinterpret_cast<struct sockaddr*>(&groups), sizeof(groups)));
  return owned;
}

}  // namespace

bool LinkAddress::operator==(const LinkAddress& other) const {
  return interface == other.interface && address.length == other.address.length &&
      memcmp(address.raw(), other.address.raw(), address.length) == 0;
}

std::vector<LinkAddress> linkAddresses() {
  struct ifaddrs* all = nullptr;
  KJ_SYSCALL(getifaddrs(&all));
  KJ_DEFER(freeifaddrs(all));
  constexpr unsigned MUST = IFF_UP | IFF_MULTICAST;
  std::vector<LinkAddress> found;
  std::set<unsigned> withLinkLocal;
  for (auto* each = all; each != nullptr; each = each->ifa_next) {
    auto* address = each->ifa_addr;
    if (address == nullptr || (each->ifa_flags & MUST) != MUST ||
        (each->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    auto interface = if_nametoindex(each->ifa_name);
    if (isLinkLocal(address)) withLinkLocal.insert(interface);
    if (address->sa_family == AF_INET)
      found.push_back({interface, SocketAddress::from(address, sizeof(struct sockaddr_in))});
    if (address->sa_family == AF_INET6)
      found.push_back({interface, SocketAddress::from(address, sizeof(struct sockaddr_in6))});
  }
  std::erase_if(found, [&](auto& one) {
    return one.address.family() == AF_INET6 && withLinkLocal.contains(one.interface) &&
        !isLinkLocal(one.address.raw());
  });
  return found;
}

AddressWatch::AddressWatch(UvEventPort& port)
    : port(port),
      descriptor(port, openNetlink()),
      known(linkAddresses()) {}

kj::Promise<void> AddressWatch::changed() {
  for (;;) {
    co_await descriptor.whenReadable();
    co_await port.timer().afterDelay(SETTLE);
    drain();
    auto now = linkAddresses();
    if (now == known) continue;  // lifetimes are told of as well
    known = kj::mv(now);
    co_return;
  }
}

// What was said does not matter, only that something was.
void AddressWatch::drain() {
  kj::byte buffer[8'192];
  for (;;) {
    auto got = recv(descriptor.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno != ENOBUFS && errno != EINTR) return;  // ENOBUFS: some were lost
  }
}

}  // namespace hearth::transport
