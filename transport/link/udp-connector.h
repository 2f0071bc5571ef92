#pragma once
// Reaches peers by UDP, and gives a link's keys to a carrier that can protect itself by them.

#include "transport/datagram/udp-host.h"
#include "transport/link/circle.h"
#include "transport/link/dialer.h"

namespace hearth::transport {

class UdpConnector final: public Connector {
 public:
  // All outlive the connector.
  UdpConnector(UdpHost& host, kj::Network& network, Circle& circle)
      : host(host),
        network(network),
        circle(circle) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(const DeviceId& peer, const Path& path) override;

  // As whom the peer at that path sees this device. Throws like connect().
  kj::Promise<UdpAddress> seenBy(const DeviceId& peer, const Path& path);

 private:
  struct Target {
    UdpAddress place;
    crypto::DhPublic x;
  };
  kj::Promise<Target> targetOf(DeviceId peer, std::string address);

  UdpHost& host;
  kj::Network& network;
  Circle& circle;
};

// Where the handshake ran over datagrams: from here on they are authenticated by keys that it has made.
// Elsewhere nothing happens. Before anything is sent under the session's keys.
void protect(kj::AsyncIoStream& carrier, const crypto::LinkSession& session);

}  // namespace hearth::transport
