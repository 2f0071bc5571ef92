#include "devices/node/fleet.h"

#include "crypto/identity/display.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

bool isAddress(const std::string& text) {
  return !text.empty() && text.size() <= storage::PeerRow::ADDRESS_BYTES_MAX &&
      std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::vector<std::string> placesToCall(
    const std::vector<std::string>& remembered, const std::vector<std::string>& heard) {
  std::vector<std::string> places;
  auto add = [&](const std::vector<std::string>& from, size_t i) {
    if (i < from.size() && std::ranges::find(places, from[i]) == places.end())
      places.push_back(from[i]);
  };
  for (size_t i = 0; i < std::max(remembered.size(), heard.size()); ++i) {
    add(remembered, i);
    add(heard, i);
  }
  return places;
}

Fleet::Fleet(router::DeviceFacts own, std::vector<storage::PeerRow> remembered): self(kj::mv(own)) {
  for (auto& row: remembered) rows[row.device] = kj::mv(row);
  refresh();
}

bool Fleet::heard(router::DeviceFacts facts, kj::Date wall) {
  auto known = peers.find(facts.id);
  if (known != peers.end() && facts.version <= known->second.version) return false;
  // Versions are compared with older ones of the same device alone: whose clock is years ahead of ours
  // is heard all the same, only our own stamps do not follow it.
  auto followed = clock.observe(HlcStamp{facts.version}, wall);
  if (!followed) KJ_LOG(INFO, "a device's clock is far ahead of ours", followed.error().because);
  auto& row = rows[facts.id];
  row.device = facts.id;
  row.name = facts.name;
  row.deviceClass = facts.deviceClass;
  if (!facts.addresses.empty()) row.addresses = facts.addresses;
  if (row.addresses.size() > transport::Links::ADDRESSES_MAX)  // more are never passed on
    row.addresses.resize(transport::Links::ADDRESSES_MAX);
  peers[facts.id] = kj::mv(facts);
  refresh();
  return true;
}

void Fleet::left(const DeviceId& device) {
  peers.erase(device);
  refresh();
}

void Fleet::learnPlace(const DeviceId& device, const std::vector<std::string>& addresses) {
  auto& row = rows[device];
  row.device = device;
  for (auto& address: addresses) {
    if (!isAddress(address)) continue;
    bool known = std::ranges::find(row.addresses, address) != row.addresses.end();
    if (!known && row.addresses.size() < transport::Links::ADDRESSES_MAX)
      row.addresses.push_back(address);
  }
}

bool Fleet::follow(const DeviceId& old, const DeviceId& now) {
  auto before = rows.find(old);
  if (before == rows.end() || rows.contains(now)) return false;
  auto row = before->second;
  row.device = now;
  rows[now] = kj::mv(row);
  return true;
}

void Fleet::refresh() {
  present = {self};
  for (auto& [id, facts]: peers) present.push_back(facts);
}

router::LinkTable Fleet::links(transport::Links& links) const {
  router::LinkTable table;
  for (auto& [id, facts]: peers) {
    KJ_IF_MAYBE(measured, links.factsOf(id)) {
      auto link = router::LINK_UNMEASURED;
      if (measured->rttS >= 0) link.latencyS = measured->rttS / 2;
      if (measured->bandwidthBps > 0) link.bandwidthBps = measured->bandwidthBps;
      table[{self.id, id}] = table[{id, self.id}] = link;
    }
  }
  return table;
}

kj::Maybe<const storage::PeerRow&> Fleet::remembered(const DeviceId& device) const {
  auto found = rows.find(device);
  if (found == rows.end()) return nullptr;
  return found->second;
}

std::vector<storage::PeerRow> Fleet::everyone() const {
  std::vector<storage::PeerRow> all;
  for (auto& [id, row]: rows) all.push_back(row);
  return all;
}

bool Fleet::setNames(std::map<DeviceId, std::string> said) {
  if (said == names) return false;
  names = kj::mv(said);
  return true;
}

std::string Fleet::nameOf(const DeviceId& device) const {
  if (auto said = names.find(device); said != names.end()) return said->second;
  if (device == self.id) return self.name;
  auto found = rows.find(device);
  if (found != rows.end() && !found->second.name.empty()) return found->second.name;
  return crypto::displayShort(device).cStr();
}

}  // namespace hearth::devices
