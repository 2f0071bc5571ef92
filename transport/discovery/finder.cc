#include "transport/discovery/finder.h"

#include "crypto/identity/display.h"

#include <algorithm>

namespace hearth::transport {

namespace {

constexpr size_t NAME_CHARACTERS = (crypto::Beacon::SIZE * 8 + 4) / 5;

bool isName(const std::string& text) {
  if (text.size() != NAME_CHARACTERS) return false;
  auto bytes = crypto::parseBase32(kj::StringPtr(text.c_str(), text.size()));
  return bytes && bytes->size() == crypto::Beacon::SIZE;
}

bool isPlace(const std::string& text) {
  return !text.empty() && text.size() <= Finder::PLACE_BYTES_MAX &&
      std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::string nameOf(const crypto::Beacon& beacon) { return crypto::base32(beacon.asBytes()).cStr(); }

Finder::Effects Finder::tick(uint64_t unixS) {
  auto now = crypto::beaconSlot(unixS);
  if (slot.map([&](auto known) { return known == now; }).orDefault(false)) return {};
  moves.clear();
  return renew(now);
}

Finder::Effects Finder::circleChanged(uint64_t unixS) { return renew(crypto::beaconSlot(unixS)); }

Finder::Effects Finder::renew(uint64_t newSlot) {
  slot = newSlot;
  auto before = own;
  own = beacons.ownBeacon(newSlot).map([](auto& beacon) { return nameOf(beacon); });
  whose.clear();
  // Clocks differ: a device may be in the slot before, or in the next one already.
  for (auto nearby: {newSlot - 1, newSlot, newSlot + 1}) {
    for (auto& other: beacons.beaconsOfOthers(nearby))
      whose.emplace(nameOf(other.beacon), other.device);
  }
  auto effects = resolveAll();
  effects.advertise = own != before;
  return effects;
}

// What was heard may mean somebody else now, or nobody.
Finder::Effects Finder::resolveAll() {
  std::map<DeviceId, std::vector<std::string>> before;
  for (auto& [advert, name]: names) {
    KJ_IF_MAYBE(device, name.device) before[*device] = placesOf(*device);
  }
  auto wantedBefore = allWanted();
  for (auto& [advert, name]: names) {
    name.device = deviceOf(advert.first);
    KJ_IF_MAYBE(device, name.device)
      before.emplace(*device, std::vector<std::string>());
    else
      name.places.clear();
  }
  Effects effects;
  for (auto& [device, places]: before) {
    if (placesOf(device) != places) effects.moved.push_back(device);
  }
  effects.follow = allWanted() != wantedBefore;
  return effects;
}

Finder::Effects Finder::heard(
    const std::string& text, std::vector<std::string> places, uint64_t unixS, Carrier carrier) {
  auto effects = tick(unixS);
  if (!isName(text)) return ++dropped.malformed, effects;
  if (own.map([&](auto& name) { return name == text; }).orDefault(false)) return effects;
  auto device = deviceOf(text);
  Advert advert(text, carrier);
  auto known = names.find(advert);
  if (known == names.end()) {
    if (device == nullptr) ++dropped.strangers;
    if (names.size() >= NAMES_MAX && (device == nullptr || !makeRoom()))
      return ++dropped.crowded, effects;
    known = names.emplace(advert, Name{device, {}}).first;
    KJ_IF_MAYBE(found, device) effects.follow |= !up.contains(*found);
  }
  KJ_IF_MAYBE(found, device) {
    auto bad = std::ranges::remove_if(places, [](auto& place) { return !isPlace(place); });
    dropped.malformed += bad.size();
    places.erase(bad.begin(), bad.end());
    if (places.size() > PLACES_MAX) places.resize(PLACES_MAX);
    if (carrier == Carrier::DATAGRAMS) {
      for (auto& place: places) place.insert(0, "udp:");
    }
    if (places == known->second.places) return effects;
    if (!places.empty() && ++moves[*found] > MOVES_PER_SLOT_MAX) return ++dropped.crowded, effects;
    auto before = placesOf(*found);
    known->second.places = std::move(places);
    if (placesOf(*found) != before) effects.moved.push_back(*found);
  }
  return effects;
}

// A member is worth a stranger's place.
bool Finder::makeRoom() {
  auto stranger =
      std::ranges::find_if(names, [](auto& entry) { return entry.second.device == nullptr; });
  if (stranger == names.end()) return false;
  names.erase(stranger);
  return true;
}

Finder::Effects Finder::gone(const std::string& text, Carrier carrier) {
  Effects effects;
  auto known = names.find({text, carrier});
  if (known == names.end()) return effects;
  auto device = known->second.device;
  KJ_IF_MAYBE(found, device) {
    auto before = placesOf(*found);
    names.erase(known);
    effects.follow = !up.contains(*found);
    if (placesOf(*found) != before) effects.moved.push_back(*found);
  } else {
    names.erase(known);
  }
  return effects;
}

Finder::Effects Finder::linked(const DeviceId& device, bool isUp) {
  auto before = allWanted();
  if (isUp) {
    up.insert(device);
  } else {
    up.erase(device);
  }
  Effects effects;
  effects.follow = allWanted() != before;
  return effects;
}

Finder::Wanted Finder::allWanted() const {
  Wanted all;
  for (auto& [advert, name]: names) {
    KJ_IF_MAYBE(device, name.device) {
      if (!up.contains(*device)) all.insert(advert);
    }
  }
  return all;
}

std::set<std::string> Finder::wanted(Carrier carrier) const {
  std::set<std::string> found;
  for (auto& [text, by]: allWanted()) {
    if (by == carrier) found.insert(text);
  }
  return found;
}

std::vector<std::string> Finder::placesOf(const DeviceId& device) const {
  std::vector<std::string> all;
  std::map<Carrier, size_t> of;
  for (auto& [advert, name]: names) {
    if (name.device.map([&](auto& found) { return found != device; }).orDefault(true)) continue;
    for (auto& place: name.places) {
      bool isNew = std::ranges::find(all, place) == all.end();
      if (!isNew || of[advert.second] == PLACES_MAX) continue;
      ++of[advert.second];
      all.push_back(place);
    }
  }
  return all;
}

void Finder::addTo(Holdings& holdings) const {
  holdings.push_back({"names heard on the local link", names.size(), NAMES_MAX});
  for (auto& [advert, name]: names)
    holdings.push_back({"places of a name", name.places.size(), PLACES_MAX});
}

kj::Maybe<DeviceId> Finder::deviceOf(const std::string& name) const {
  auto found = whose.find(name);
  if (found == whose.end()) return nullptr;
  return found->second;
}

}  // namespace hearth::transport
