#include "devices/data/presence.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

using presence::Gone;
using presence::Here;
using presence::Message;
using presence::Said;

bool isWithinLimits(const std::string& document, const std::string& value) {
  return !document.empty() && document.size() <= presence::DOCUMENT_BYTES_MAX &&
      value.size() <= presence::VALUE_BYTES_MAX;
}

constexpr Error TOO_LONG{
    Errc::BAD_FORMAT, "who is at a document says at most 4096 bytes of themselves"_kj};

}  // namespace

Presence::Presence(Surroundings around)
    : around(around),
      streams(
          {around.timer, around.links, around.self, STREAM_KIND_PRESENCE,
              "who is at a document"_kj},
          [this](const DeviceId& peer, bool, kj::Own<kj::AsyncIoStream> stream) {
            return kj::heap<PresenceSession>(
                static_cast<PresenceSession::Owner&>(*this), peer, kj::mv(stream));
          },
          [this](const DeviceId& peer) { forget(peer); }) {}

Presence::~Presence() noexcept(false) {}

// A VAULT is at no document.
void Presence::peerUp(const DeviceId& peer) {
  if (around.circle.readsBlobs(peer)) streams.peerUp(peer);
}

void Presence::incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
  if (around.circle.readsBlobs(peer)) streams.incoming(peer, kj::mv(stream));
}

Result<uint32_t> Presence::enter(std::string document, std::string value) {
  if (!isWithinLimits(document, value)) return no(TOO_LONG);
  auto& own = all[around.self];
  if (own.size() >= PLACES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more apps than a device has are at documents");
  auto place = next++;
  own[place] = {document, kj::mv(value)};
  streams.forEach([&](auto&, auto& session) { session.changed(place); });
  tell(document);
  return place;
}

Result<void> Presence::become(uint32_t place, std::string value) {
  auto& there = all.at(around.self).at(place);
  if (!isWithinLimits(there.document, value)) return no(TOO_LONG);
  there.value = kj::mv(value);
  streams.forEach([&](auto&, auto& session) { session.changed(place); });
  tell(there.document);
  return {};
}

void Presence::leave(uint32_t place) {
  auto gone = all.at(around.self).extract(place);
  streams.forEach([&](auto&, auto& session) { session.changed(place); });
  tell(gone.mapped().document);
}

Result<void> Presence::say(std::string document, std::string value) {
  if (!isWithinLimits(document, value)) return no(TOO_LONG);
  Said said{kj::mv(document), kj::mv(value)};
  streams.forEach([&](auto&, auto& session) { session.say(said); });
  return {};
}

std::vector<Presence::There> Presence::at(const std::string& document) const {
  std::vector<There> found;
  for (auto& [device, places]: all) {
    for (auto& [place, there]: places) {
      if (there.document == document) found.push_back({device, place, there.value});
    }
  }
  return found;
}

void Presence::watch(const std::string& document, Watcher& watcher) {
  watchers[document].insert(&watcher);
}

void Presence::unwatch(const std::string& document, Watcher& watcher) {
  auto found = watchers.find(document);
  if (found == watchers.end()) return;
  found->second.erase(&watcher);
  if (found->second.empty()) watchers.erase(found);
}

size_t Presence::places() const {
  size_t count = 0;
  for (auto& [device, places]: all) count += places.size();
  return count;
}

void Presence::forget(const DeviceId& device) {
  auto gone = all.extract(device);
  if (gone.empty()) return;
  std::set<std::string> documents;
  for (auto& [place, there]: gone.mapped()) documents.insert(there.document);
  for (auto& document: documents) tell(document);
}

void Presence::tell(const std::string& document) {
  auto found = watchers.find(document);
  if (found == watchers.end()) return;
  for (auto* watcher: found->second) watcher->changed();
}

Result<void> Presence::receive(const DeviceId& from, Here& here) {
  auto& places = all[from];
  auto known = places.find(here.place);
  if (known == places.end() && places.size() >= PLACES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a peer is at more documents than it can have apps for");
  auto before = known == places.end() ? here.document : known->second.document;
  places[here.place] = {here.document, kj::mv(here.value)};
  if (before != here.document) tell(before);
  tell(here.document);
  return {};
}

Result<void> Presence::receive(const DeviceId& from, Gone& gone) {
  auto found = all[from].extract(gone.place);
  if (!found.empty()) tell(found.mapped().document);
  return {};
}

Result<void> Presence::receive(const DeviceId& from, Said& said) {
  auto found = watchers.find(said.document);
  if (found == watchers.end()) return {};
  for (auto* watcher: found->second) watcher->said(from, said.value);
  return {};
}

Result<void> Presence::received(const DeviceId& from, Message& message) {
  return std::visit([&](auto& content) { return receive(from, content); }, message);
}

std::vector<uint32_t> Presence::ownPlaces() const {
  std::vector<uint32_t> places;
  auto own = all.find(around.self);
  if (own == all.end()) return places;
  for (auto& [place, there]: own->second) places.push_back(place);
  return places;
}

Message Presence::stateOf(uint32_t place) const {
  auto own = all.find(around.self);
  if (own == all.end()) return Gone{place};
  auto there = own->second.find(place);
  if (there == own->second.end()) return Gone{place};
  return Here{place, there->second.document, there->second.value};
}

}  // namespace hearth::devices
