#include "devices/node/places.h"

#include "storage/tables/peers.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

kj::Promise<void> Places::start() {
  co_await around.relays.start();
  tell();
}

void Places::stop() {
  neighbours = nullptr;
  around.relays.stop();
}

void Places::alsoReachableAt(std::vector<std::string> places) {
  outside = kj::mv(places);
  tell();
}

void Places::movedTo(std::vector<std::string> addresses) {
  own = kj::mv(addresses);
  tell();
}

void Places::offerRelays(std::vector<std::string> relays) {
  offered = kj::mv(relays);
  tell();
}

kj::Promise<Result<void>> Places::addRelay(std::string place) {
  auto added = co_await around.relays.add(kj::mv(place));
  tell();
  co_return added;
}

kj::Promise<Result<void>> Places::removeRelay(std::string place) {
  auto removed = co_await around.relays.remove(kj::mv(place));
  tell();
  co_return removed;
}

// Own addresses, and the relays where this device waits; the others hear of it when that is another.
void Places::tell() {
  auto addresses = own;
  addresses.insert(addresses.end(), offered.begin(), offered.end());
  addresses.insert(addresses.end(), outside.begin(), outside.end());
  for (auto& relay: around.relays.addresses()) addresses.push_back(relay);
  if (addresses.size() > transport::Links::ADDRESSES_MAX)
    addresses.resize(transport::Links::ADDRESSES_MAX);
  if (addresses == around.fleet.own().addresses) return;
  around.fleet.changeOwn(
      around.clock.now(), [&](router::DeviceFacts& facts) { facts.addresses = kj::mv(addresses); });
  around.observer.ownPlacesChanged();
}

kj::Promise<std::vector<std::string>> Places::ownNow() {
  auto places = co_await around.links.seenAs();
  for (auto& address: around.fleet.own().addresses) {
    bool known = std::ranges::find(places, address) != places.end();
    if (!known && places.size() < transport::Links::ADDRESSES_MAX) places.push_back(address);
  }
  co_return places;
}

void Places::introduced(const DeviceId& device, const std::vector<std::string>& addresses) {
  if (device == around.keeper.selfId() || !around.keeper.isActive(device)) return;
  around.fleet.learnPlace(device, addresses);
  remember(device);
  callKnown();
}

void Places::remember(const DeviceId& device) {
  KJ_IF_MAYBE(row, around.fleet.remembered(device)) {
    auto copy = *row;
    copy.seenMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
    tasks.add(around.store.write(
        [copy = kj::mv(copy)](storage::Database& db) { storage::peers::put(db, copy); }));
  }
}

void Places::call(const DeviceId& device) {
  std::vector<std::string> remembered, heard;
  KJ_IF_MAYBE(row, around.fleet.remembered(device)) remembered = row->addresses;
  if (neighbours.get() != nullptr) heard = neighbours->placesOf(device);
  around.links.setAddresses(device, placesToCall(remembered, heard));
}

void Places::callKnown() {
  auto& keeper = around.keeper;
  if (!keeper.isActive(keeper.selfId())) return;
  for (auto& [id, member]: keeper.state().devices) {
    // Also one of which no address is known: a member may have a way to it.
    if (id != keeper.selfId() && member.isActive()) call(id);
  }
  useRelaysOfVaults();
}

// A relay that a VAULT runs is the circle's own.
void Places::useRelaysOfVaults() {
  std::vector<std::string> offered;
  for (auto& [id, member]: around.keeper.state().devices) {
    bool isOther = id != around.keeper.selfId() && member.isActive();
    if (!isOther || member.role != crypto::Role::VAULT) continue;
    KJ_IF_MAYBE(row, around.fleet.remembered(id)) {
      for (auto& address: row->addresses) {
        auto path = transport::Path::parse(address);
        if (path && path->kind == transport::Path::Kind::RELAY) offered.push_back(address);
      }
    }
  }
  around.relays.offered(offered);
  tell();
}

void Places::beginToCall() {
  meetNeighbours();
  callKnown();
}

void Places::circleChanged() {
  beginToCall();
  around.relays.circleChanged();
}

void Places::meetNeighbours() {
  if (neighbours.get() != nullptr) return neighbours->circleChanged();
  KJ_IF_MAYBE(link, around.localLink) {
    using transport::Neighbourhood;
    auto& keeper = around.keeper;
    if (!keeper.isActive(keeper.selfId())) return;
    // A VAULT holds no key by which it would know anybody (SECURITY.md §6.7).
    auto part = keeper.ownRole() == crypto::Role::VAULT ? Neighbourhood::Part::IS_CALLED_ONLY
                                                        : Neighbourhood::Part::CALLS;
    neighbours = kj::heap<Neighbourhood>(
        Neighbourhood::Surroundings{around.timer, around.clock, *link, keeper, *this},
        Neighbourhood::Ports{port, datagrams}, part);
    for (auto& peer: around.links.peersUp()) neighbours->linked(peer, true);
  }
}

void Places::linked(const DeviceId& peer, bool isUp) {
  if (neighbours.get() != nullptr) neighbours->linked(peer, isUp);
}

void Places::addTo(Holdings& holdings) const {
  if (neighbours.get() != nullptr) neighbours->addTo(holdings);
}

void Places::placesChanged(const DeviceId& device) {
  if (around.keeper.isActive(device)) call(device);
}

void Places::taskFailed(kj::Exception&& e) {
  KJ_LOG(WARNING, "where a device is found could not be stored", e.getDescription());
}

}  // namespace hearth::devices
