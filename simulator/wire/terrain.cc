#include "simulator/wire/terrain.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::sim {

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

kj::Maybe<Route> Terrain::route(DeviceIndex from, Ip to, Packet packet) const {
  auto target = deviceAt(to);
  auto toNetwork = networkOf(to);
  if (target >= stations.size() || toNetwork >= networks.size()) return nullptr;
  if (!isOn(target, toNetwork)) return nullptr;
  auto loss = losses.find({from, target});
  auto extra = loss == losses.end() ? 0 : loss->second;
  auto& there = networks[toNetwork];
  if (isOn(from, toNetwork)) {
    if (there.isolates && from != target) return nullptr;
    return Route{
        toNetwork, toNetwork, there.latencyMin, there.latencyMax, there.lossPermille + extra};
  }
  if (!there.internet || there.portal) return nullptr;
  if (packet == Packet::CALL && !there.letsIn) return nullptr;
  for (auto fromNetwork: stations[from].attached) {
    auto& here = networks[fromNetwork];
    if (!here.internet || here.portal) continue;
    return Route{fromNetwork, toNetwork, here.latencyMin + there.latencyMin,
        here.latencyMax + there.latencyMax, here.lossPermille + there.lossPermille + extra};
  }
  return nullptr;
}

bool Terrain::passes(DeviceIndex from, Ip to, Packet packet) const {
  KJ_IF_MAYBE(way, route(from, to, packet))
    return way->lossPermille < 1'000 && !severed.contains({from, deviceAt(to)});
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

void Terrain::addLoss(DeviceIndex from, DeviceIndex to, uint32_t permille) {
  losses[{from, to}] = permille;
}

void Terrain::setPortal(NetworkIndex network, bool closed) {
  networks[network].portal = closed;
  announce();
}

void Terrain::mendAll() {
  severed.clear();
  losses.clear();
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
  auto add = [&](kj::TimePoint& until, double bytesPerSecond, const Station& station) {
    auto seconds = static_cast<double>(bytes) / bytesPerSecond * station.clogged;
    until = kj::max(until, now) + static_cast<int64_t>(seconds * 1e9) * kj::NANOSECONDS;
    return until;
  };
  auto& sender = stations[from];
  auto& receiver = stations[to];
  return kj::max(
      add(sender.busyUntil[route.fromNetwork].sending, networks[route.fromNetwork].upBps, sender),
      add(receiver.busyUntil[route.toNetwork].receiving, networks[route.toNetwork].downBps,
          receiver));
}

void Terrain::spend(DeviceIndex from, DeviceIndex to, const Route& route, uint64_t bytes) {
  stations[from].radio->used(networks[route.fromNetwork], bytes, 0);
  stations[to].radio->used(networks[route.toNetwork], 0, bytes);
}

kj::Promise<void> Terrain::changed() { return changing.addBranch(); }

void Terrain::announce() {
  auto old = kj::mv(change.fulfiller);
  change = kj::newPromiseAndFulfiller<void>();
  changing = change.promise.fork();
  old->fulfill();
}

}  // namespace hearth::sim
