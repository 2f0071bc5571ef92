#include "simulator/wire/sim-datagram.h"

#include "simulator/wire/sim-network.h"

#include <kj/debug.h>

#include <netinet/in.h>

namespace hearth::sim {

namespace {

constexpr uint16_t FIRST_FREE_PORT = 32'768;

size_t fragmentsOf(size_t bytes) {
  constexpr auto MOST = DatagramStack::FRAGMENT_BYTES;
  return (bytes + DatagramStack::UDP_HEADER_BYTES + MOST - 1) / MOST;
}

// A datagram is lost with any of its fragments.
bool isLost(size_t bytes, uint32_t permille, Chance& luck) {
  bool lost = false;
  for (auto left = fragmentsOf(bytes); left > 0; --left) lost |= luck.permille(permille);
  return lost;
}

// A group, and where it was joined; 0: wherever the device is.
struct Membership {
  Ip group, at;
  auto operator<=>(const Membership&) const = default;
};

}  // namespace

class SimDatagramPort final: public kj::DatagramPort {
 public:
  static constexpr size_t QUEUE_BYTES_MAX = 212'992;  // Linux: net.core.rmem_default
  static constexpr size_t OVERHEAD_BYTES = 768;       // of each in there, about what Linux counts
  static constexpr size_t GROUPS_MAX = 20;            // Linux: net.ipv4.igmp_max_memberships

  SimDatagramPort(DatagramStack& stack, uint16_t port): stack(stack), port(port) {
    KJ_REQUIRE(stack.ports.emplace(port, this).second, "the port is in use", port);
  }
  ~SimDatagramPort() noexcept(false) { stack.ports.erase(port); }

  kj::Promise<size_t> send(
      const void* buffer, size_t size, kj::NetworkAddress& destination) override {
    auto bytes = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
    return send(kj::arrayPtr(&bytes, 1), destination);
  }
  kj::Promise<size_t> send(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces,
      kj::NetworkAddress& destination) override;
  kj::Own<kj::DatagramReceiver> makeReceiver(kj::DatagramReceiver::Capacity capacity) override;
  kj::uint getPort() override { return port; }
  // A limit of this network: options can be set, and none can be read.
  void getsockopt(int, int, void*, kj::uint*) override {
    KJ_FAIL_REQUIRE("a simulated datagram port does not tell its options");
  }
  // IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_MULTICAST_IF.
  void setsockopt(int level, int option, const void* value, kj::uint length) override;

  bool isMember(Ip group, Ip self) const {
    return memberships.contains({group, self}) || memberships.contains({group, 0});
  }
  kj::Maybe<NetworkIndex> speaksOn;  // to groups; none: the best network
  void arrived(Endpoint from, kj::ArrayPtr<const kj::byte> bytes);
  kj::Promise<void> arrival() { return bell.wait(); }

  struct Arrived {
    Endpoint from;
    kj::Array<kj::byte> bytes;
  };
  kj::Maybe<Arrived> next();

 private:
  DatagramStack& stack;
  uint16_t port;
  std::set<Membership> memberships;
  std::deque<Arrived> queue;
  size_t queuedBytes = 0;
  Bell bell;
};

class SimDatagramReceiver final: public kj::DatagramReceiver {
 public:
  SimDatagramReceiver(SimDatagramPort& port, NetworkStack& stack, Capacity capacity)
      : port(port),
        stack(stack),
        capacity(capacity) {}

  kj::Promise<void> receive() override {
    for (;;) {
      KJ_IF_MAYBE(arrived, port.next()) {
        source = kj::heap<SimAddress>(stack, arrived->from);
        bytes = kj::mv(arrived->bytes);
        co_return;
      }
      co_await port.arrival();
    }
  }
  MaybeTruncated<kj::ArrayPtr<const kj::byte>> getContent() override {
    return {
        bytes.slice(0, kj::min(bytes.size(), capacity.content)), bytes.size() > capacity.content};
  }
  MaybeTruncated<kj::ArrayPtr<const kj::AncillaryMessage>> getAncillary() override {
    return {nullptr, false};
  }
  kj::NetworkAddress& getSource() override { return *source; }

 private:
  SimDatagramPort& port;
  NetworkStack& stack;
  Capacity capacity;
  kj::Array<kj::byte> bytes;
  kj::Own<SimAddress> source;
};

kj::Promise<size_t> SimDatagramPort::send(
    kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces, kj::NetworkAddress& destination) {
  kj::Vector<kj::byte> whole;
  for (auto piece: pieces) whole.addAll(piece);
  auto size = whole.size();
  KJ_REQUIRE(
      size <= DatagramStack::DATAGRAM_BYTES_MAX, "a datagram this long cannot be sent", size);
  stack.send(port, kj::downcast<SimAddress>(destination).endpoint, whole.releaseAsArray());
  return size;
}

kj::Own<kj::DatagramReceiver> SimDatagramPort::makeReceiver(
    kj::DatagramReceiver::Capacity capacity) {
  return kj::heap<SimDatagramReceiver>(*this, stack.stack, capacity);
}

void SimDatagramPort::setsockopt(int level, int option, const void* value, kj::uint length) {
  KJ_REQUIRE(level == IPPROTO_IP, "no such option", level, option);
  if (option == IP_MULTICAST_IF) {
    KJ_REQUIRE(length == sizeof(struct in_addr), "IP_MULTICAST_IF takes a struct in_addr");
    speaksOn = Terrain::networkOf(ntohl(static_cast<const struct in_addr*>(value)->s_addr));
    return;
  }
  KJ_REQUIRE(option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP, "no such option", option);
  KJ_REQUIRE(length == sizeof(struct ip_mreq), "a membership takes a struct ip_mreq");
  auto& request = *static_cast<const struct ip_mreq*>(value);
  Membership membership{ntohl(request.imr_multiaddr.s_addr), ntohl(request.imr_interface.s_addr)};
  KJ_REQUIRE(isGroup(membership.group), "not a group's address");
  if (option == IP_DROP_MEMBERSHIP) {
    KJ_REQUIRE(memberships.erase(membership) == 1, "the port is not in the group");
  } else {
    KJ_REQUIRE(memberships.size() < GROUPS_MAX, "the port is in too many groups");
    KJ_REQUIRE(memberships.insert(membership).second, "the port is in the group already");
  }
}

void SimDatagramPort::arrived(Endpoint from, kj::ArrayPtr<const kj::byte> bytes) {
  auto size = bytes.size() + OVERHEAD_BYTES;
  if (queuedBytes + size > QUEUE_BYTES_MAX) return;
  queuedBytes += size;
  queue.push_back({from, kj::heapArray(bytes)});
  bell.ring();
}

kj::Maybe<SimDatagramPort::Arrived> SimDatagramPort::next() {
  if (queue.empty()) return nullptr;
  auto first = kj::mv(queue.front());
  queue.pop_front();
  queuedBytes -= first.bytes.size() + OVERHEAD_BYTES;
  return first;
}

DatagramStack::DatagramStack(NetworkStack& stack, WireParts& wire, NetworkHost& host)
    : stack(stack),
      wire(wire),
      host(host),
      chance(Chance::of(wire.seed, "datagrams", host.index())) {}

kj::Own<kj::DatagramPort> DatagramStack::bind(uint16_t port) {
  return kj::heap<SimDatagramPort>(*this, port == 0 ? freePort() : port);
}

uint16_t DatagramStack::freePort() const {
  auto port = FIRST_FREE_PORT;
  while (ports.contains(port)) ++port;
  return port;
}

// One draw for each datagram, whatever comes of it.
void DatagramStack::send(uint16_t port, Endpoint to, kj::Array<const kj::byte> bytes) {
  Chance luck(chance.next());
  auto self = host.index();
  auto& attached = wire.terrain.attachments(self);
  if (!host.isOn() || attached.empty())
    kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the network is unreachable"));
  if (!host.isAwake() || host.isDying()) return;
  if (isGroup(to.ip)) {
    auto network = ports[port]->speaksOn.orDefault(attached.front());
    if (!wire.terrain.isOn(self, network)) return;
    Endpoint from{Terrain::addressIn(network, self), port};
    return sendToGroup(network, from, to, luck, bytes);
  }
  KJ_IF_MAYBE(way, routeTo(to.ip)) {
    Endpoint inside{Terrain::addressIn(way->fromNetwork, self), port};
    auto from = wire.nats.outside(inside, to, *way, wire.time.now());
    auto latency = luck.between(way->latencyMin, way->latencyMax);
    KJ_IF_MAYBE(sent, leave(way->fromNetwork, bytes.size())) {
      auto arrives = inOrder(to.ip, *sent + latency);
      wire.couriers.add(carry({from, to, kj::mv(bytes)}, *way, arrives, luck));
    }
  }
}

// It goes on the air once. The sender's own port hears it as well, as by IP_MULTICAST_LOOP.
void DatagramStack::sendToGroup(NetworkIndex network, Endpoint from, Endpoint to, Chance luck,
    kj::ArrayPtr<const kj::byte> bytes) {
  auto& kind = wire.terrain.network(network);
  auto sent = leave(network, bytes.size());
  for (auto device: wire.terrain.devicesOn(network)) {
    Chance own(luck.next());
    auto latency = own.between(kind.latencyMin, kind.latencyMax);
    Endpoint at{Terrain::addressIn(network, device), to.port};
    Datagram copy{from, to, kj::heapArray(bytes)};
    if (device == host.index()) {
      take(copy, at, copy.bytes);
    } else if (kind.multicast && !kind.isolates) {
      KJ_IF_MAYBE(left, sent) {
        auto arrives = inOrder(at.ip, *left + latency);
        Route way{network, network, kind.latencyMin, kind.latencyMax,
            kind.lossPermille + kind.multicastLossPermille, kind.duplicatePermille,
            kind.reorderPermille};
        wire.couriers.add(
            wire.time.at(arrives).then([this, copy = kj::mv(copy), at, way, own]() mutable {
              return arrive(kj::mv(copy), at, way, own);
            }));
      }
    }
  }
}

// When the radio is done with it; none: too much waits there.
kj::Maybe<kj::TimePoint> DatagramStack::leave(NetworkIndex network, size_t bytes) {
  auto now = wire.time.now();
  auto self = host.index();
  if (wire.terrain.bookSending(self, network, 0, now) > now + QUEUED_MAX) return nullptr;
  wire.terrain.spendSending(self, network, bytes);
  return wire.terrain.bookSending(self, network, bytes, now);
}

kj::TimePoint DatagramStack::inOrder(Ip to, kj::TimePoint arrives) {
  auto& last = lastArrivals.emplace(to, arrives).first->second;
  return last = kj::max(last, arrives);
}

kj::Maybe<Route> DatagramStack::routeTo(Ip to) const {
  KJ_IF_MAYBE(network, wire.terrain.natAt(to))
    return wire.terrain.routeOutside(host.index(), *network);
  return wire.terrain.route(host.index(), to, Terrain::Packet::CALL);
}

// A NAT decides when the datagram is there.
kj::Promise<void> DatagramStack::carry(
    Datagram datagram, Route way, kj::TimePoint arrives, Chance luck) {
  co_await wire.time.at(arrives);
  KJ_IF_MAYBE(at, wire.nats.inside(datagram.to, datagram.from, wire.time.now()))
    co_await arrive(kj::mv(datagram), *at, way, luck);
}

kj::Promise<void> DatagramStack::arrive(Datagram datagram, Endpoint at, Route way, Chance luck) {
  auto target = Terrain::deviceAt(at.ip);
  auto size = datagram.bytes.size();
  auto trouble = wire.terrain.troubleOf(host.index(), target);
  bool lost = isLost(size, way.lossPermille + trouble.loss, luck);
  bool late = luck.permille(way.reorderPermille + trouble.reordered);
  auto lateBy = luck.between(1 * kj::MILLISECONDS, LATE_MAX);
  bool twice = luck.permille(way.duplicatePermille + trouble.duplicates);
  auto againAfter = luck.between(0 * kj::MILLISECONDS, LATE_MAX);
  wire.datagrams.lost += lost;
  if (lost) co_return;
  wire.datagrams.late += late;
  wire.datagrams.twice += twice;
  if (late) co_await wire.time.after(lateBy);
  for (int copies = twice ? 2 : 1; copies > 0; --copies) {
    auto now = wire.time.now();
    if (wire.terrain.bookReceiving(target, way.toNetwork, 0, now) > now + QUEUED_MAX) co_return;
    co_await wire.time.at(wire.terrain.bookReceiving(target, way.toNetwork, size, now));
    hand(datagram, at);
    if (copies > 1) co_await wire.time.after(againAfter);
  }
}

void DatagramStack::hand(const Datagram& datagram, Endpoint at) {
  auto self = host.index();
  auto target = Terrain::deviceAt(at.ip);
  auto network = Terrain::networkOf(at.ip);
  auto& there = stack.stackOf(target).datagrams;
  if (wire.terrain.isCut(self, target) || !wire.terrain.isOn(target, network) ||
      !there.host.isOn() || !there.host.isAwake())
    return;
  wire.terrain.spendReceiving(target, network, datagram.bytes.size());
  wire.observer.datagram(self, target, datagram.bytes);
  if (datagram.bytes.size() == 0) return there.take(datagram, at, datagram.bytes);
  auto passed = tampererTo(target).pass(
      kj::heapArray<kj::byte>(datagram.bytes), wire.terrain.troubleOf(self, target).tampered);
  if (passed.changed) wire.observer.tampered(self, target);
  for (auto& piece: passed.pieces) there.take(datagram, at, piece);
}

void DatagramStack::take(
    const Datagram& datagram, Endpoint at, kj::ArrayPtr<const kj::byte> bytes) {
  auto found = ports.find(at.port);
  if (found == ports.end()) return;
  if (isGroup(datagram.to.ip) && !found->second->isMember(datagram.to.ip, at.ip)) return;
  found->second->arrived(datagram.from, bytes);
}

Tamperer& DatagramStack::tampererTo(DeviceIndex target) {
  auto number = (uint64_t{host.index()} << 16) | target;
  Tamperer fresh(Chance::of(wire.seed, "tampered datagrams", number));
  return tamperers.emplace(target, kj::mv(fresh)).first->second;
}

}  // namespace hearth::sim
