#pragma once
// UDP of one device of a world: ports as kj::DatagramPort, and what becomes of a datagram.
//
//   port ─▶ radio ─▶ NAT ─▶ latency ─▶ NAT: does it let it in? ─▶ lost, late, twice? ─▶ radio ─▶ port
//
// Datagrams between two addresses keep their order, but for those that are late. One to a group
// (224.0.0.0/4) goes to the members on the sender's network, each of which may lose it. Nobody is told
// of a datagram that got nowhere. A port hears at all addresses of its device.

#include "simulator/wire/sim-stream.h"
#include "simulator/wire/tamperer.h"

namespace hearth::sim {

class NetworkStack;
class SimDatagramPort;

struct Datagram {
  Endpoint from, to;  // as those see it who receive it, and as its sender wrote it
  kj::Array<const kj::byte> bytes;
};

inline bool isGroup(Ip ip) { return ip >> 28 == 0xe; }

class DatagramStack final {
 public:
  static constexpr size_t DATAGRAM_BYTES_MAX = 65'507;  // 65,535 less the headers of IP and UDP
  static constexpr size_t FRAGMENT_BYTES = 1'480;       // of a frame of Ethernet, less IP's header
  static constexpr size_t UDP_HEADER_BYTES = 8;
  static constexpr kj::Duration QUEUED_MAX =
      1 * kj::SECONDS;  // at a radio; what comes then is lost
  static constexpr kj::Duration LATE_MAX = 50 * kj::MILLISECONDS;  // also of the second of a pair

  DatagramStack(NetworkStack& stack, WireParts& wire, NetworkHost& host);

  // 0: any port that is free.
  kj::Own<kj::DatagramPort> bind(uint16_t port);

 private:
  friend class SimDatagramPort;

  NetworkStack& stack;
  WireParts& wire;
  NetworkHost& host;
  Chance chance;
  std::map<uint16_t, SimDatagramPort*> ports;
  std::map<Ip, kj::TimePoint> lastArrivals;  // by whom they go to
  std::map<DeviceIndex, Tamperer> tamperers;

  uint16_t freePort() const;
  void send(uint16_t port, Endpoint to, kj::Array<const kj::byte> bytes);
  void sendToGroup(NetworkIndex network, Endpoint from, Endpoint to, Chance luck,
      kj::ArrayPtr<const kj::byte> bytes);
  kj::Maybe<kj::TimePoint> leave(NetworkIndex network, size_t bytes);
  kj::TimePoint inOrder(Ip to, kj::TimePoint arrives);
  kj::Maybe<Route> routeTo(Ip to) const;
  kj::Promise<void> carry(Datagram datagram, Route way, kj::TimePoint arrives, Chance luck);
  kj::Promise<void> arrive(Datagram datagram, Endpoint at, Route way, Chance luck);
  void hand(const Datagram& datagram, Endpoint at);
  void take(const Datagram& datagram, Endpoint at, kj::ArrayPtr<const kj::byte> bytes);
  Tamperer& tampererTo(DeviceIndex target);
};

}  // namespace hearth::sim
