#pragma once
// A UDP socket: as kj::DatagramPort like any other, and in batches. A batch is one recvmmsg, in which
// the kernel has joined datagrams of one sender (UDP_GRO); what is sent in one call leaves in one
// system call and is cut into datagrams behind it (UDP_SEGMENT). Without these the system is asked once
// for each.

#include "transport/wire/datagram-socket.h"
#include "transport/wire/uv-descriptor.h"

#include <vector>

namespace hearth::transport {

class UvDatagramPort final: public kj::DatagramPort, public DatagramSocket {
 public:
  // The kernel's queues; what comes when they are full is lost. A flood of strangers must not crowd
  // out everybody for as long as the daemon is busy otherwise.
  static constexpr int QUEUE_BYTES = 4 << 20;
  static constexpr size_t BATCH_MAX = 16;             // messages in one system call
  static constexpr size_t JOINED_BYTES_MAX = 65'535;  // of one message, before it is cut
  static constexpr size_t SEGMENTS_MAX = 64;          // UDP_MAX_SEGMENTS of older kernels

  // Binds to `address`; throws with one line when that cannot be.
  UvDatagramPort(UvEventPort& port, SocketAddress address);

  kj::Promise<size_t> send(
      const void* buffer, size_t size, kj::NetworkAddress& destination) override;
  kj::Promise<size_t> send(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces,
      kj::NetworkAddress& destination) override;
  kj::Own<kj::DatagramReceiver> makeReceiver(kj::DatagramReceiver::Capacity capacity) override;
  kj::uint getPort() override { return bound.port(); }
  void getsockopt(int level, int option, void* value, kj::uint* length) override;
  void setsockopt(int level, int option, const void* value, kj::uint length) override;

  kj::Promise<kj::ArrayPtr<Datagram>> receive() override;
  void send(const UdpAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each) override;
  kj::uint port() override { return bound.port(); }

 private:
  friend class UvDatagramReceiver;

  UvEventPort& loop;
  SocketAddress bound;
  UvDescriptor descriptor;
  bool cutsItself = true;  // UDP_SEGMENT
  kj::Array<kj::byte> room;
  std::vector<Datagram> arrived;
  size_t taken = 0;  // of `arrived`, by receivers of single datagrams

  bool receiveNow();
  bool sendCut(const SocketAddress& to, kj::ArrayPtr<const kj::byte> bytes, size_t each);
  kj::Promise<Datagram> receiveOne();
};

}  // namespace hearth::transport
