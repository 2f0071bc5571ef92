#include "transport/wire/uv-datagram-port.h"

#include "transport/wire/uv-network.h"

#include <kj/debug.h>

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace hearth::transport {

namespace {

kj::AutoCloseFd newSocket(int family) {
  int fd;
  KJ_SYSCALL(fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  kj::AutoCloseFd owned(fd);
  int on = 1, off = 0, bytes = UvDatagramPort::QUEUE_BYTES;
  if (family == AF_INET6) {
    KJ_SYSCALL(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
  }
  // The system grants what it grants.
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
  (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
  return owned;
}

SocketAddress boundTo(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  KJ_SYSCALL(getsockname(fd, address.raw(), &address.length));
  return address;
}

kj::AutoCloseFd bindTo(const SocketAddress& address) {
  KJ_REQUIRE(!address.isUnix(), "a Unix socket carries no datagrams here");
  auto fd = newSocket(address.family());
  int result = bind(fd, address.raw(), address.length);
  int error = errno;
  KJ_REQUIRE(result == 0, "cannot listen there", address.toString(), strerror(error));
  return fd;
}

// One system call with all its arguments: addresses, lengths and what the kernel has joined.
class Batch final {
 public:
  explicit Batch(kj::ArrayPtr<kj::byte> room) {
    for (size_t i = 0; i < UvDatagramPort::BATCH_MAX; ++i) {
      pieces[i] = {
          room.begin() + i * UvDatagramPort::JOINED_BYTES_MAX, UvDatagramPort::JOINED_BYTES_MAX};
      auto& header = messages[i].msg_hdr;
      header.msg_name = &sources[i].storage;
      header.msg_namelen = sizeof(sources[i].storage);
      header.msg_iov = &pieces[i];
      header.msg_iovlen = 1;
      header.msg_control = notes[i];
      header.msg_controllen = sizeof(notes[i]);
    }
  }

  // Messages received, or an errno below 0.
  int receive(int fd) {
    int count = recvmmsg(fd, messages, UvDatagramPort::BATCH_MAX, MSG_DONTWAIT, nullptr);
    return count < 0 ? -errno : count;
  }

  void cutInto(std::vector<Datagram>& arrived, size_t message) {
    auto from = UdpAddress::of(sources[message]);
    auto bytes = kj::arrayPtr(
        static_cast<kj::byte*>(pieces[message].iov_base), size_t{messages[message].msg_len});
    auto each = joined(messages[message].msg_hdr).orDefault(bytes.size());
    if (bytes.size() == 0 || each == 0) return arrived.push_back({from, bytes});
    for (size_t at = 0; at < bytes.size(); at += each)
      arrived.push_back({from, bytes.slice(at, std::min(at + each, bytes.size()))});
  }

 private:
  SocketAddress sources[UvDatagramPort::BATCH_MAX];
  struct iovec pieces[UvDatagramPort::BATCH_MAX];
  struct mmsghdr messages[UvDatagramPort::BATCH_MAX] = {};
  alignas(struct cmsghdr) kj::byte notes[UvDatagramPort::BATCH_MAX][CMSG_SPACE(sizeof(int))];

  static kj::Maybe<size_t> joined(struct msghdr& header) {
    for (auto note = CMSG_FIRSTHDR(&header); note != nullptr; note = CMSG_NXTHDR(&header, note)) {
      if (note->cmsg_level != IPPROTO_UDP || note->cmsg_type != UDP_GRO) continue;
      int each = 0;
      memcpy(&each, CMSG_DATA(note), sizeof(each));
      return static_cast<size_t>(each);
    }
    return nullptr;
  }
};

}  // namespace

// Takes single datagrams from the batches of a port.
class UvDatagramReceiver final: public kj::DatagramReceiver {
 public:
  UvDatagramReceiver(UvDatagramPort& port, UvNetwork network, Capacity capacity)
      : port(port),
        network(network),
        capacity(capacity) {}

  kj::Promise<void> receive() override {
    current = co_await port.receiveOne();
    auto from = current.from.forFamily(port.bound.family());
    source = network.getSockaddr(from.raw(), from.length);
  }
  MaybeTruncated<kj::ArrayPtr<const kj::byte>> getContent() override {
    auto size = std::min(current.bytes.size(), capacity.content);
    return {current.bytes.slice(0, size), current.bytes.size() > capacity.content};
  }
  MaybeTruncated<kj::ArrayPtr<const kj::AncillaryMessage>> getAncillary() override {
    return {nullptr, false};
  }
  kj::NetworkAddress& getSource() override { return *source; }

 private:
  UvDatagramPort& port;
  UvNetwork network;
  Capacity capacity;
  Datagram current;
  kj::Own<kj::NetworkAddress> source;
};

UvDatagramPort::UvDatagramPort(UvEventPort& port, SocketAddress address)
    : loop(port),
      bound(address),
      descriptor(port, bindTo(address)),
      room(kj::heapArray<kj::byte>(BATCH_MAX * JOINED_BYTES_MAX)) {
  bound = boundTo(descriptor.get());
}

kj::Promise<size_t> UvDatagramPort::send(
    const void* buffer, size_t size, kj::NetworkAddress& destination) {
  auto bytes = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
  return send(kj::arrayPtr(&bytes, 1), destination);
}

kj::Promise<size_t> UvDatagramPort::send(
    kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces, kj::NetworkAddress& destination) {
  auto parsed = UdpAddress::parse(destination.toString());
  auto to = KJ_REQUIRE_NONNULL(parsed, "no address for a datagram").forFamily(bound.family());
  auto vector = kj::heapArray<struct iovec>(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i)
    vector[i] = {const_cast<kj::byte*>(pieces[i].begin()), pieces[i].size()};
  struct msghdr message = {};
  message.msg_name = to.raw();
  message.msg_namelen = to.length;
  message.msg_iov = vector.begin();
  message.msg_iovlen = vector.size();
  for (;;) {
    auto sent = sendmsg(descriptor.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) co_return static_cast<size_t>(sent);
    int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      co_await descriptor.whenWritable();
    } else if (error != EINTR && error != ECONNREFUSED) {  // the latter is of an earlier datagram
      KJ_FAIL_SYSCALL("sendmsg", error);
    }
  }
}

kj::Own<kj::DatagramReceiver> UvDatagramPort::makeReceiver(
    kj::DatagramReceiver::Capacity capacity) {
  return kj::heap<UvDatagramReceiver>(*this, UvNetwork(loop), capacity);
}

void UvDatagramPort::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockopt(descriptor.get(), level, option, value, &size));
  *length = size;
}

void UvDatagramPort::setsockopt(int level, int option, const void* value, kj::uint length) {
  KJ_SYSCALL(::setsockopt(descriptor.get(), level, option, value, length));
}

// Whether something has come. Errors that belong to datagrams sent earlier are no news of this socket.
bool UvDatagramPort::receiveNow() {
  Batch batch(room);
  int count;
  do {
    count = batch.receive(descriptor.get());
  } while (count == -EINTR || count == -ECONNREFUSED || count == -EHOSTUNREACH);
  if (count == -EAGAIN || count == -EWOULDBLOCK) return false;
  if (count < 0) KJ_FAIL_SYSCALL("recvmmsg", -count);
  arrived.clear();
  taken = 0;
  for (int i = 0; i < count; ++i) batch.cutInto(arrived, static_cast<size_t>(i));
  return count > 0;
}

kj::Promise<kj::ArrayPtr<Datagram>> UvDatagramPort::receive() {
  while (!receiveNow()) co_await descriptor.whenReadable();
  taken = arrived.size();
  co_return kj::arrayPtr(arrived.data(), arrived.size());
}

kj::Promise<Datagram> UvDatagramPort::receiveOne() {
  while (taken == arrived.size()) {
    if (!receiveNow()) co_await descriptor.whenReadable();
  }
  co_return arrived[taken++];
}

// Whether the kernel took the bytes, or they are lost; false: it does not cut.
bool UvDatagramPort::sendCut(
    const SocketAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each) {
  struct iovec piece = {const_cast<kj::byte*>(bytes.begin()), bytes.size()};
  alignas(struct cmsghdr) kj::byte note[CMSG_SPACE(sizeof(uint16_t))] = {};
  struct msghdr message = {};
  message.msg_name = const_cast<struct sockaddr*>(to.raw());
  message.msg_namelen = to.length;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (bytes.size() > each) {
    message.msg_control = note;
    message.msg_controllen = sizeof(note);
    auto header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    auto size = static_cast<uint16_t>(each);
    memcpy(CMSG_DATA(header), &size, sizeof(size));
  }
  ssize_t sent;
  do {
    sent = sendmsg(descriptor.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && (errno == EINTR || errno == ECONNREFUSED));
  return sent >= 0 || bytes.size() <= each || (errno != EIO && errno != EINVAL);
}

void UvDatagramPort::send(
    const UdpAddress& address, kj::ArrayPtr<const kj::byte> bytes, size_t each) {
  if (bound.family() == AF_INET && !address.isIp4()) return;
  auto to = address.forFamily(bound.family());
  while (bytes.size() > 0) {
    auto most = cutsItself ? std::min(SEGMENTS_MAX, JOINED_BYTES_MAX / each) * each : each;
    auto now = bytes.slice(0, std::min(most, bytes.size()));
    if (sendCut(to, now, each)) {
      bytes = bytes.slice(now.size(), bytes.size());
    } else {
      cutsItself = false;
    }
  }
}

}  // namespace hearth::transport
