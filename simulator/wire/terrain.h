#pragma once
// Where devices are and what their radios reach: networks with their figures, who is attached to
// which, and what is cut, slow or lossy at the moment.
//
//   device a ──radio──▶ network ◀──radio── device b        same network: a path, unless it isolates
//   device a ──▶ network 1 ──internet──▶ network 2 ◀── b   another one: only where 2 lets calls in
//
// Every device has one IPv4 address in every network: 10.network.device (16 bits). Outside, that of a
// network that lets nobody in is its NAT's, which devices on it share: 203.0.113.(network + 1), of
// documentation's own range (RFC 5737). Only datagrams are sent there (nat.h); a stream's way back is
// found by what it was opened from.

#include "simulator/world/chance.h"
#include "simulator/world/world-time.h"

#include <kj/vector.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace hearth::sim {

using DeviceIndex = uint16_t;
using NetworkIndex = uint8_t;
using Ip = uint32_t;

kj::String toText(Ip ip);

struct Endpoint {
  Ip ip = 0;
  uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// What a kind of network is like. Figures with their sources: data/networks.toml.
struct NetworkKind {
  std::string name;
  kj::Duration latencyMin = 1 * kj::MILLISECONDS;  // one way, between two devices on it
  kj::Duration latencyMax = 3 * kj::MILLISECONDS;
  double upBps = 12.5e6;  // bytes a second, of one device's radio
  double downBps = 12.5e6;
  uint32_t lossPermille = 0;           // of packets; a stream sees it as delay
  uint32_t duplicatePermille = 0;      // of datagrams: they come twice
  uint32_t reorderPermille = 0;        // of datagrams: later ones overtake them
  bool isolates = false;               // devices on it do not see each other (guest Wi-Fi)
  bool internet = true;                // leads to other networks
  bool letsIn = false;                 // calls from other networks get in (no NAT)
  bool portal = false;                 // answers for everybody until somebody has logged in
  bool streams = true;                 // lets TCP through; false: datagrams alone
  bool multicast = true;               // a datagram to a group reaches its members on the network
  uint32_t multicastLossPermille = 0;  // for each of them, beyond lossPermille
  bool symmetric = false;              // its NAT takes another port for each destination
  kj::Duration natIdle = 30 * kj::SECONDS;  // after which its NAT forgets a datagram's mapping
  double txNanojoulePerByte = 0;
  double rxNanojoulePerByte = 0;
  double tailMw = 0;  // drawn by the radio after it was used
  kj::Duration tail = 0 * kj::SECONDS;
};

// The way that a packet would take now.
struct Route {
  NetworkIndex fromNetwork, toNetwork;
  kj::Duration latencyMin, latencyMax;
  uint32_t lossPermille, duplicatePermille, reorderPermille;
};

// What goes wrong one way between two devices, in a thousand, beyond what their networks do.
struct Trouble {
  uint32_t loss = 0;        // of packets; 1000: nothing passes
  uint32_t duplicates = 0;  // of datagrams
  uint32_t reordered = 0;   // of datagrams
  uint32_t tampered = 0;    // of stream segments and datagrams: somebody on the way changes them
};

class Terrain final {
 public:
  static constexpr size_t NETWORKS_MAX = 250;

  // What radios are told, for the energy that it takes.
  class Radio {
   public:
    virtual void used(const NetworkKind& network, uint64_t txBytes, uint64_t rxBytes) = 0;
  };

  Terrain();

  NetworkIndex addNetwork(NetworkKind kind);
  size_t networkCount() const { return networks.size(); }
  const NetworkKind& network(NetworkIndex index) const { return networks[index]; }
  void addDevice(DeviceIndex device, Radio& radio);

  // Attachments, best first. A device that is off or in flight mode has none.
  void attach(DeviceIndex device, std::vector<NetworkIndex> to);
  const std::vector<NetworkIndex>& attachments(DeviceIndex device) const;
  static Ip addressIn(NetworkIndex network, DeviceIndex device);
  static DeviceIndex deviceAt(Ip ip) { return static_cast<DeviceIndex>(ip & 0xffff); }
  static NetworkIndex networkOf(Ip ip) { return static_cast<NetworkIndex>((ip >> 16) & 0xff); }
  static Ip natOf(NetworkIndex network);
  kj::Maybe<NetworkIndex> natAt(Ip ip) const;  // whose NAT has the address
  bool isOn(DeviceIndex device, NetworkIndex network) const;
  std::vector<DeviceIndex> devicesOn(NetworkIndex network) const;

  // The way from a device to an address of another; none when there is none, cuts aside. CALL: of a
  // first packet. REPLY: on a connection that exists, so that NATs between let it pass.
  enum class Packet : uint8_t { CALL, REPLY };
  kj::Maybe<Route> route(DeviceIndex from, Ip to, Packet packet) const;
  // Whether a packet would arrive now: there is a way, and nothing is cut.
  bool passes(DeviceIndex from, Ip to, Packet packet) const;
  // The way to the outside of another network, through the best one that leads there.
  kj::Maybe<Route> routeOutside(DeviceIndex from, NetworkIndex to) const;
  // Whether the only network that answers the device is a portal.
  bool isCaptive(DeviceIndex device) const;

  // Faults. A cut may have one direction. Trouble and slowness add to a network's own.
  void cut(DeviceIndex from, DeviceIndex to);
  void mend(DeviceIndex from, DeviceIndex to);
  bool isCut(DeviceIndex from, DeviceIndex to) const { return severed.contains({from, to}); }
  void clog(DeviceIndex device, double factor);  // its radio is that many times slower; 1: as usual
  Trouble& trouble(DeviceIndex from, DeviceIndex to) { return troubles[{from, to}]; }
  Trouble troubleOf(DeviceIndex from, DeviceIndex to) const;
  void setPortal(NetworkIndex network, bool closed);
  void mendAll();

  // A NAT has forgotten its mappings: connections through it stay silent for ever.
  void rebind(NetworkIndex network);
  uint32_t binding(NetworkIndex network) const { return bindings[network]; }

  // When the radios at both ends will be done with so many bytes more, and their booking. A device
  // has one radio for each network, which connections share.
  kj::TimePoint book(
      DeviceIndex from, DeviceIndex to, const Route& route, uint64_t bytes, kj::TimePoint now);
  kj::TimePoint bookSending(
      DeviceIndex device, NetworkIndex network, uint64_t bytes, kj::TimePoint now);
  kj::TimePoint bookReceiving(
      DeviceIndex device, NetworkIndex network, uint64_t bytes, kj::TimePoint now);
  // What the radios have sent and received by now.
  void spendSending(DeviceIndex device, NetworkIndex network, uint64_t bytes);
  void spendReceiving(DeviceIndex device, NetworkIndex network, uint64_t bytes);
  void spend(DeviceIndex from, DeviceIndex to, const Route& route, uint64_t bytes);

  // Resolves at the next change of anything above that matters to a path.
  kj::Promise<void> changed();

 private:
  struct Busy {
    kj::TimePoint sending = WorldTime::BEGINNING;
    kj::TimePoint receiving = WorldTime::BEGINNING;
  };
  struct Station {
    Radio* radio = nullptr;
    std::vector<NetworkIndex> attached;
    double clogged = 1;
    std::map<NetworkIndex, Busy> busyUntil;
  };

  std::vector<NetworkKind> networks;
  std::vector<uint32_t> bindings;
  std::vector<Station> stations;  // by DeviceIndex
  std::set<std::pair<DeviceIndex, DeviceIndex>> severed;
  std::map<std::pair<DeviceIndex, DeviceIndex>, Trouble> troubles;
  kj::PromiseFulfillerPair<void> change;
  kj::ForkedPromise<void> changing;

  void announce();
};

}  // namespace hearth::sim
