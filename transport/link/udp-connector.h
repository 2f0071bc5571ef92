#pragma once
// Reaches peers by UDP, and gives a link's keys to a carrier that can protect itself by them.

#include "transport/datagram/udp-host.h"
#include "transport/link/circle.h"
#include "transport/link/dialer.h"

namespace hearth::transport {

class UdpConnector final: public Connector {
 public:
  // What a peer has said holds for a while: who asks this device again and again makes it ask nobody.
  static constexpr kj::Duration SEEN_FOR = 5 * kj::SECONDS;
  static constexpr size_t SEEN_MAX = 64;         // peers whose word is kept
  static constexpr size_t PLACES_ASKED_MAX = 6;  // of one peer

  // All outlive the connector.
  UdpConnector(UdpHost& host, kj::Network& network, Circle& circle, kj::Timer& timer)
      : host(host),
        network(network),
        circle(circle),
        timer(timer) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;

  // As whom the peer sees this device, wherever of these places it is: the first that answers counts.
  // None: nowhere by then.
  kj::Promise<kj::Maybe<UdpAddress>> seenBy(
      DeviceId peer, std::vector<Path> places, kj::Duration within);

 private:
  struct Target {
    UdpAddress place;
    crypto::DhPublic x;
  };
  kj::Promise<Target> targetOf(DeviceId peer, std::string address);

  UdpHost& host;
  kj::Network& network;
  Circle& circle;
  kj::Timer& timer;
  struct Seen {
    UdpAddress as;
    kj::TimePoint at;
  };
  std::map<DeviceId, Seen> seen;

  kj::Promise<UdpAddress> seenAt(DeviceId peer, Path place);
};

// Where the handshake ran over datagrams: from here on they are authenticated by keys that it has made.
// Elsewhere nothing happens. Before anything is sent under the session's keys.
void protect(kj::AsyncIoStream& carrier, const crypto::LinkSession& session);

}  // namespace hearth::transport
