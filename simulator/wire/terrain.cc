#include "simulator/wire/terrain.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

namespace {

constexpr Ip NAT_RANGE = 203u << 24 | 113u << 8;  // 203.0.113.0/24

// Until when a radio is busy with so many bytes more.
kj::TimePoint occupy(kj::TimePoint& until, double seconds, kj::TimePoint now) {
  return until = kj::max(until, now) + static_cast<int64_t>(seconds * 1e9) * kj::NANOSECONDS;
}

}  // namespace

kj::String toText(Ip ip) {
  return kj::str(ip >> 24, '.', (ip >> 16) & 0xff, '.', (ip >> 8) & 0xff, '.', ip & 0xff);
}

Terrain::Terrain(): change(kj::newPromiseAndFulfiller<void>()), changing(change.promise.fork()) {}

NetworkIndex Terrain::addNetwork(NetworkKind kind) {
  KJ_REQUIRE(networks.size() < NETWORKS_MAX, "too many networks in one world");
  networks.push_back(kj::mv(kind));
  bindings.push_back(0);
  return static_cast<NetworkIndex>(networks.size() - 1);
}

void Terrain::addDevice(DeviceIndex device, Radio& radio) {
  KJ_REQUIRE(device == stations.size(), "devices come in the order of their numbers");
  stations.push_back({.radio = &radio});
}

void Terrain::attach(DeviceIndex device, std::vector<NetworkIndex> to) {
  if (stations[device].attached == to) return;
  stations[device].attached = kj::mv(to);
  announce();
}

const std::vector<NetworkIndex>& Terrain::attachments(DeviceIndex device) const {
  return stations[device].attached;
}

Ip Terrain::addressIn(NetworkIndex network, DeviceIndex device) {
  return (10u << 24) | (Ip{network} << 16) | device;
}

bool Terrain::isOn(DeviceIndex device, NetworkIndex network) const {
  return std::ranges::count(stations[device].attached, network) > 0;
}

Ip Terrain::natOf(NetworkIndex network) { return NAT_RANGE | (network + 1u); }

kj::Maybe<NetworkIndex> Terrain::natAt(Ip ip) const {
  auto number = ip & 0xff;
  if ((ip & ~0xffu) != NAT_RANGE || number == 0 || number > networks.size()) return nullptr;
  return static_cast<NetworkIndex>(number - 1);
}

std::vector<DeviceIndex> Terrain::devicesOn(NetworkIndex network) const {
  std::vector<DeviceIndex> found;
  for (DeviceIndex device = 0; device < stations.size(); ++device) {
    if (isOn(device, network)) found.push_back(device);
  }
  return found;
}

Trouble Terrain::troubleOf(DeviceIndex from, DeviceIndex to) const {
  auto found = troubles.find({from, to});
  return found == troubles.end() ? Trouble() : found->second;
}

kj::Maybe<Route> Terrain::route(DeviceIndex from, Ip to, Packet packet) const {
  auto target = deviceAt(to);
  auto toNetwork = networkOf(to);
  if (target >= stations.size() || toNetwork >= networks.size()) return nullptr;
  if (!isOn(target, toNetwork)) return nullptr;
  auto extra = troubleOf(from, target).loss;
  auto& there = networks[toNetwork];
  if (isOn(from, toNetwork)) {
    if (there.isolates && from != target) return nullptr;
    return Route{toNetwork, toNetwork, there.latencyMin, there.latencyMax,
        there.lossPermille + extra, there.duplicatePermille, there.reorderPermille};
  }
  if (packet == Packet::CALL && !there.letsIn) return nullptr;
  auto way = routeOutside(from, toNetwork);
  KJ_IF_MAYBE(found, way) found->lossPermille += extra;
  return way;
}

kj::Maybe<Route> Terrain::routeOutside(DeviceIndex from, NetworkIndex to) const {
  auto& there = networks[to];
  if (!there.internet || there.portal) return nullptr;
  for (auto fromNetwork: stations[from].attached) {
    auto& here = networks[fromNetwork];
    if (!here.internet || here.portal || fromNetwork == to) continue;
    return Route{fromNetwork, to, here.latencyMin + there.latencyMin,
        here.latencyMax + there.latencyMax, here.lossPermille + there.lossPermille,
        here.duplicatePermille + there.duplicatePermille,
        here.reorderPermille + there.reorderPermille};
  }
  return nullptr;
}

bool Terrain::passes(DeviceIndex from, Ip to, Packet packet) const {
  KJ_IF_MAYBE(way, route(from, to, packet))
    return way->lossPermille < 1'000 && !isCut(from, deviceAt(to));
  return false;
}

bool Terrain::isCaptive(DeviceIndex device) const {
  auto& attached = stations[device].attached;
  return !attached.empty() &&
      std::ranges::all_of(attached, [&](auto network) { return networks[network].portal; });
}

void Terrain::cut(DeviceIndex from, DeviceIndex to) {
  severed.insert({from, to});
  announce();
}

void Terrain::mend(DeviceIndex from, DeviceIndex to) {
  severed.erase({from, to});
  announce();
}

void Terrain::clog(DeviceIndex device, double factor) { stations[device].clogged = factor; }

void Terrain::setPortal(NetworkIndex network, bool closed) {
  networks[network].portal = closed;
  announce();
}

void Terrain::mendAll() {
  severed.clear();
  troubles.clear();
  for (auto& station: stations) station.clogged = 1;
  for (auto& network: networks) network.portal = false;
  announce();
}

void Terrain::rebind(NetworkIndex network) {
  ++bindings[network];
  announce();
}

kj::TimePoint Terrain::book(
    DeviceIndex from, DeviceIndex to, const Route& route, uint64_t bytes, kj::TimePoint now) {
  return kj::max(bookSending(from, route.fromNetwork, bytes, now),
      bookReceiving(to, route.toNetwork, bytes, now));
}

kj::TimePoint Terrain::bookSending(
    DeviceIndex device, NetworkIndex network, uint64_t bytes, kj::TimePoint now) {
  auto& station = stations[device];
  auto seconds = static_cast<double>(bytes) / networks[network].upBps * station.clogged;
  return occupy(station.busyUntil[network].sending, seconds, now);
}

kj::TimePoint Terrain::bookReceiving(
    DeviceIndex device, NetworkIndex network, uint64_t bytes, kj::TimePoint now) {
  auto& station = stations[device];
  auto seconds = static_cast<double>(bytes) / networks[network].downBps * station.clogged;
  return occupy(station.busyUntil[network].receiving, seconds, now);
}

void Terrain::spend(DeviceIndex from, DeviceIndex to, const Route& route, uint64_t bytes) {
  spendSending(from, route.fromNetwork, bytes);
  spendReceiving(to, route.toNetwork, bytes);
}

void Terrain::spendSending(DeviceIndex device, NetworkIndex network, uint64_t bytes) {
  stations[device].radio->used(networks[network], bytes, 0);
}

void Terrain::spendReceiving(DeviceIndex device, NetworkIndex network, uint64_t bytes) {
  stations[device].radio->used(networks[network], 0, bytes);
}

kj::Promise<void> Terrain::changed() { return changing.addBranch(); }

void Terrain::announce() {
  auto old = kj::mv(change.fulfiller);
  change = kj::newPromiseAndFulfiller<void>();
  changing = change.promise.fork();
  old->fulfill();
}

}  // namespace hearth::sim
