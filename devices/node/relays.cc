#include "devices/node/relays.h"

#include "core/base/flat.h"
#include "storage/tables/settings.h"

#include <algorithm>

namespace hearth::devices {

namespace {

using transport::Path;

constexpr kj::StringPtr SETTING = "relays"_kj;  // list8<var8 HOST:PORT>

crypto::Buffer encode(const std::vector<std::string>& places) {
  FlatWriter out;
  out.u8(static_cast<uint8_t>(places.size()));
  for (auto& place: places) out.var8(kj::StringPtr(place.c_str()).asBytes());
  return out.finish();
}

// What cannot be read is nothing: the owner names it again.
std::vector<std::string> decode(crypto::Bytes bytes) {
  FlatReader in(bytes);
  std::vector<std::string> places(in.count8(Relays::NAMED_MAX, 1));
  for (auto& place: places) {
    auto text = in.var8(Path::TEXT_BYTES_MAX);
    place.assign(text.asChars().begin(), text.size());
  }
  if (!in.finish()) return {};
  return places;
}

Result<std::string> placeOf(const std::string& text) {
  auto path = Path::parse(text.starts_with("relay:") ? text : "relay:" + text);
  if (!path) return no(path.error());
  return path->address;
}

}  // namespace

Relays::Relays(Around around)
    : around(around),
      connector({around.timer, around.clock, around.network, around.keeper}),
      waiting({around.timer, around.clock, around.network, around.keeper}, *this) {
  around.links.plug(Path::Kind::RELAY, connector);
}

kj::Promise<void> Relays::start() {
  auto kept = co_await around.store.read(
      [](storage::Database& db) { return storage::settings::get(db, SETTING); });
  KJ_IF_MAYBE(bytes, kept) own = decode(*bytes);
  nameThen = around.keeper.ownBeacon(0);
  wait();
}

kj::Promise<Result<void>> Relays::add(std::string text) {
  auto place = placeOf(text);
  if (!place) co_return no(place.error());
  if (std::ranges::find(own, *place) != own.end()) co_return Result<void>();
  if (own.size() >= NAMED_MAX)
    co_return no(Errc::LIMIT_EXCEEDED, "three relays are enough: remove one first");
  own.push_back(*place);
  wait();
  co_await store();
  co_return Result<void>();
}

kj::Promise<Result<void>> Relays::remove(std::string text) {
  auto place = placeOf(text);
  if (!place) co_return no(place.error());
  if (std::erase(own, *place) == 0)
    co_return no(Errc::UNKNOWN_PEER, "no such relay: hearth relay list shows them");
  wait();
  co_await store();
  co_return Result<void>();
}

kj::Promise<void> Relays::store() {
  return around.store.write(
      [bytes = encode(own)](storage::Database& db) { storage::settings::set(db, SETTING, bytes); });
}

void Relays::offered(const std::vector<std::string>& relays) {
  std::vector<std::string> places;
  for (auto& text: relays) {
    if (auto place = placeOf(text)) places.push_back(*place);
  }
  if (places == ofVaults) return;
  ofVaults = kj::mv(places);
  wait();
}

// Names change with the epoch, and with nothing else that the circle does.
void Relays::circleChanged() {
  auto name = around.keeper.ownBeacon(0);
  if (name == nameThen) return;
  nameThen = name;
  waiting.circleChanged();
}

void Relays::stop() {
  own.clear();
  ofVaults.clear();
  wait();
}

std::vector<std::string> Relays::all() const {
  auto places = own;
  for (auto& place: ofVaults) {
    if (std::ranges::find(places, place) == places.end()) places.push_back(place);
  }
  if (places.size() > transport::RelayWaiting::RELAYS_MAX)
    places.resize(transport::RelayWaiting::RELAYS_MAX);
  return places;
}

void Relays::wait() { waiting.waitAt(all()); }

std::vector<std::string> Relays::addresses() const {
  std::vector<std::string> texts;
  for (auto& place: all()) texts.push_back(Path{Path::Kind::RELAY, place}.text());
  return texts;
}

void Relays::calledThrough(const Path& relay, kj::Own<kj::AsyncIoStream> stream) {
  around.links.answerOn(kj::mv(stream), relay);
}

}  // namespace hearth::devices
