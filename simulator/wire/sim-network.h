#pragma once
// The Wire seam of one device of a world: kj::Network over the terrain. Addresses are numeric IPv4
// ("10.1.0.3:7427", "*:7427" to listen); there are no names and no Unix sockets.

#include "simulator/wire/sim-datagram.h"
#include "simulator/wire/sim-stream.h"

namespace hearth::sim {

class NetworkStack;
class SimReceiver;

// An address as one device's stack has parsed it, or received something from it.
class SimAddress final: public kj::NetworkAddress {
 public:
  SimAddress(NetworkStack& stack, Endpoint endpoint): endpoint(endpoint), stack(stack) {}

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect() override;
  kj::Own<kj::ConnectionReceiver> listen() override;
  kj::Own<kj::DatagramPort> bindDatagramPort() override;
  kj::Own<kj::NetworkAddress> clone() override { return kj::heap<SimAddress>(stack, endpoint); }
  kj::String toString() override { return kj::str(toText(endpoint.ip), ':', endpoint.port); }

  const Endpoint endpoint;

 private:
  NetworkStack& stack;
};

// One device's network stack. It outlives processes: what they leave behind is closed with them.
class NetworkStack final: public kj::Network {
 public:
  static constexpr kj::Duration CALL_AGAIN_AFTER = 1 * kj::SECONDS;         // doubling
  static constexpr kj::Duration CONNECT_GIVE_UP_AFTER = 127 * kj::SECONDS;  // Linux: seven SYNs
  static constexpr size_t BACKLOG_MAX = 128;  // connections that wait for accept()

  NetworkStack(WireParts& wire, NetworkHost& host)
      : datagrams(*this, wire, host),
        wire(wire),
        host(host),
        chance(Chance::of(wire.seed, "network", host.index())) {}

  kj::Promise<kj::Own<kj::NetworkAddress>> parseAddress(
      kj::StringPtr text, kj::uint portHint = 0) override;
  kj::Own<kj::NetworkAddress> getSockaddr(const void* sockaddr, kj::uint length) override;
  kj::Own<kj::Network> restrictPeers(kj::ArrayPtr<const kj::StringPtr> allow,
      kj::ArrayPtr<const kj::StringPtr> deny = nullptr) override;

  // By which another device's stack finds this one.
  using Directory = kj::Function<NetworkStack&(DeviceIndex)>;
  void setDirectory(Directory* all) { directory = all; }
  NetworkStack& stackOf(DeviceIndex device) { return (*directory)(device); }

  DatagramStack datagrams;

 private:
  friend class SimAddress;
  friend class SimReceiver;

  WireParts& wire;
  NetworkHost& host;
  Directory* directory = nullptr;
  std::map<uint16_t, SimReceiver*> listening;
  uint16_t nextPort = 32'768;
  Chance chance;

  kj::Promise<kj::Own<kj::AsyncIoStream>> connect(Ip ip, uint16_t port);
  kj::Promise<kj::Maybe<kj::Own<kj::AsyncIoStream>>> call(Ip ip, uint16_t port);
  kj::Own<kj::ConnectionReceiver> listen(uint16_t port);
  kj::Own<kj::AsyncIoStream> establish(SimReceiver& receiver, Ends ends, kj::Duration rtt);
};

}  // namespace hearth::sim
