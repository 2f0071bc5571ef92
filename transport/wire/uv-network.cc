#include "transport/wire/uv-network.h"

#include "transport/wire/race.h"
#include "transport/wire/socket-address.h"
#include "transport/wire/uv-datagram-port.h"
#include "transport/wire/uv-lookup.h"
#include "transport/wire/uv-stream.h"

#include <kj/debug.h>

#include <cerrno>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::transport {

namespace {

constexpr int BACKLOG = 128;
constexpr kj::Duration ACCEPT_PAUSE = 100 * kj::MILLISECONDS;  // when descriptors have run out
// Bulk that the kernel holds cannot be overtaken by a more urgent lane (DESIGN §5).
constexpr int NOTSENT_LOWAT_BYTES = 128 << 10;

kj::AutoCloseFd newSocket(int family) {
  int fd;
  KJ_SYSCALL(fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return kj::AutoCloseFd(fd);
}

void tune(int fd, int family) {
  if (family == AF_UNIX) return;
  int on = 1;
  KJ_SYSCALL(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
  KJ_SYSCALL(setsockopt(
      fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &NOTSENT_LOWAT_BYTES, sizeof(NOTSENT_LOWAT_BYTES)));
}

class Receiver final: public kj::ConnectionReceiver {
 public:
  Receiver(UvEventPort& port, kj::AutoCloseFd fd, SocketAddress bound)
      : port(port),
        bound(bound),
        descriptor(port, kj::mv(fd)) {}

  ~Receiver() noexcept(false) {
    if (bound.isUnix()) unlink(bound.unixPath().cStr());
  }

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override {
    for (;;) {
      int fd = accept4(descriptor.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        kj::AutoCloseFd owned(fd);
        tune(fd, bound.family());
        co_return kj::heap<UvStream>(port, kj::mv(owned));
      }
      switch (errno) {
        case EAGAIN:
          co_await descriptor.whenReadable();
          break;
        // The kernel queues connections meanwhile; spinning would not bring a descriptor back.
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          co_await port.timer().afterDelay(ACCEPT_PAUSE);
          break;
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
          break;  // that connection is gone; the next one may be good
        default:
          KJ_FAIL_SYSCALL("accept4", errno);
      }
    }
  }

  kj::uint getPort() override { return bound.port(); }

  void getsockname(struct sockaddr* addr, kj::uint* length) override {
    socklen_t size = *length;
    KJ_SYSCALL(::getsockname(descriptor.get(), addr, &size));
    *length = size;
  }

 private:
  UvEventPort& port;
  SocketAddress bound;
  UvDescriptor descriptor;
};

class Address final: public kj::NetworkAddress {
 public:
  Address(UvEventPort& port, SocketAddress address): port(port), address(address) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect() override {
    auto fd = newSocket(address.family());
    tune(fd, address.family());
    int result;
    do {
      result = ::connect(fd, address.raw(), address.length);
    } while (result != 0 && errno == EINTR);
    int error = result == 0 ? 0 : errno;
    auto stream = kj::heap<UvStream>(port, kj::mv(fd));
    if (error == EINPROGRESS) error = co_await outcome(*stream);
    if (error != 0) {
      // Nobody there, no way there: whoever dials tries again later.
      kj::throwFatalException(KJ_EXCEPTION(
          DISCONNECTED, kj::str(address.toString(), " cannot be reached: ", strerror(error))));
    }
    co_return kj::mv(stream);
  }

  kj::Own<kj::ConnectionReceiver> listen() override {
    auto fd = newSocket(address.family());
    if (address.isUnix()) {
      unlink(address.unixPath().cStr());  // a daemon that was killed leaves its socket behind
    } else {
      int on = 1, off = 0;
      KJ_SYSCALL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
      if (address.family() == AF_INET6) {
        KJ_SYSCALL(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
      }
    }
    // A Unix socket takes its mode from the mask: for the owner alone from the first moment.
    auto mask = umask(0177);
    int result = bind(fd, address.raw(), address.length);
    int error = errno;
    umask(mask);
    KJ_REQUIRE(result == 0, "cannot listen there", address.toString(), strerror(error));
    KJ_SYSCALL(::listen(fd, BACKLOG), address.toString());
    SocketAddress bound = address;
    bound.length = sizeof(bound.storage);
    KJ_SYSCALL(getsockname(fd, bound.raw(), &bound.length));
    return kj::heap<Receiver>(port, kj::mv(fd), address.isUnix() ? address : bound);
  }

  kj::Own<kj::DatagramPort> bindDatagramPort() override {
    return kj::heap<UvDatagramPort>(port, address);
  }

  kj::Own<kj::NetworkAddress> clone() override { return kj::heap<Address>(port, address); }
  kj::String toString() override { return address.toString(); }

 private:
  UvEventPort& port;
  SocketAddress address;

  static kj::Promise<int> outcome(UvStream& stream) {
    co_await stream.whenWritable();
    int error = 0;
    kj::uint size = sizeof(error);
    stream.getsockopt(SOL_SOCKET, SO_ERROR, &error, &size);
    co_return error;
  }
};

// A name that stands for several addresses: whoever calls it is connected to the first that answers.
class Host final: public kj::NetworkAddress {
 public:
  Host(UvEventPort& port, std::vector<SocketAddress> found): port(port), found(kj::mv(found)) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect() override {
    if (found.size() == 1) co_return co_await connectTo(port, found[0]);
    std::vector<Attempt> attempts;
    for (auto& address: found)
      attempts.push_back({[&port = port, address]() { return connectTo(port, address); }});
    auto winner = co_await race(port.timer(), kj::mv(attempts), CONNECT_WITHIN);
    co_return kj::mv(winner.stream);
  }

  kj::Own<kj::ConnectionReceiver> listen() override { return first().listen(); }
  kj::Own<kj::DatagramPort> bindDatagramPort() override { return first().bindDatagramPort(); }
  kj::Own<kj::NetworkAddress> clone() override { return kj::heap<Host>(port, found); }
  kj::String toString() override { return first().toString(); }

 private:
  // Of one address among several: the others are not kept waiting as long as the kernel would wait.
  static constexpr kj::Duration CONNECT_WITHIN = 10 * kj::SECONDS;

  UvEventPort& port;
  std::vector<SocketAddress> found;

  Address first() { return Address(port, found.front()); }
  static kj::Promise<kj::Own<kj::AsyncIoStream>> connectTo(
      UvEventPort& port, SocketAddress address) {
    Address target(port, address);
    co_return co_await target.connect();
  }
};

template <typename Getter>
kj::String addressBy(Getter&& get) {
  SocketAddress address;
  kj::uint length = sizeof(address.storage);
  get(address.raw(), &length);
  address.length = length;
  return address.toString();
}

}  // namespace

kj::Promise<kj::Own<kj::NetworkAddress>> UvNetwork::parseAddress(
    kj::StringPtr text, kj::uint portHint) {
  if (text.startsWith("unix:"))
    co_return kj::heap<Address>(port, SocketAddress::unixSocket(text.slice(strlen("unix:"))));
  auto [host, number] = splitHostPort(text, portHint);
  KJ_IF_MAYBE(numeric, SocketAddress::numeric(host, number)) {
    co_return kj::heap<Address>(port, *numeric);
  }
  auto found = co_await lookUp(port, host);
  KJ_REQUIRE(!found.empty(), "no such host", host);
  for (auto& address: found) address.setPort(number);
  co_return anyOf(kj::mv(found));
}

kj::Own<kj::NetworkAddress> UvNetwork::anyOf(std::vector<SocketAddress> addresses) {
  KJ_REQUIRE(!addresses.empty());
  return kj::heap<Host>(port, kj::mv(addresses));
}

kj::Own<kj::NetworkAddress> UvNetwork::getSockaddr(const void* sockaddr, kj::uint length) {
  return kj::heap<Address>(port, SocketAddress::from(sockaddr, length));
}

kj::Own<kj::Network> UvNetwork::restrictPeers(
    kj::ArrayPtr<const kj::StringPtr>, kj::ArrayPtr<const kj::StringPtr>) {
  KJ_UNIMPLEMENTED("Hearth restricts by keys, not by addresses");
}

PeerCredentials credentialsOf(kj::AsyncIoStream& unixStream) {
  struct ucred credentials = {};
  kj::uint size = sizeof(credentials);
  unixStream.getsockopt(SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  return {credentials.uid, credentials.pid};
}

kj::String localAddressOf(kj::AsyncIoStream& stream) {
  return addressBy([&](auto* address, auto* length) { stream.getsockname(address, length); });
}

kj::String peerAddressOf(kj::AsyncIoStream& stream) {
  return addressBy([&](auto* address, auto* length) { stream.getpeername(address, length); });
}

kj::Array<kj::String> interfaceAddresses() {
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  int result = uv_interface_addresses(&interfaces, &count);
  KJ_REQUIRE(result == 0, "the interfaces cannot be listed", uv_strerror(result));
  KJ_DEFER(uv_free_interface_addresses(interfaces, count));
  kj::Vector<kj::String> addresses;
  for (auto& interface: kj::arrayPtr(interfaces, static_cast<size_t>(count))) {
    char text[INET6_ADDRSTRLEN] = "";
    bool ip4 = interface.address.address4.sin_family == AF_INET;
    auto& ip6 = interface.address.address6;
    if (interface.is_internal || (!ip4 && IN6_IS_ADDR_LINKLOCAL(&ip6.sin6_addr))) continue;
    if (ip4)
      uv_ip4_name(&interface.address.address4, text, sizeof(text));
    else
      uv_ip6_name(&ip6, text, sizeof(text));
    addresses.add(ip4 ? kj::str(text) : kj::str('[', text, ']'));
  }
  return addresses.releaseAsArray();
}

}  // namespace hearth::transport
