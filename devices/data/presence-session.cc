#include "devices/data/presence-session.h"

namespace hearth::devices {

using presence::Message;

PresenceSession::PresenceSession(
    Owner& owner, const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream)
    : owner(owner),
      peer(peer),
      stream(kj::mv(stream)) {
  for (auto place: owner.ownPlaces()) places.insert(place);
}

void PresenceSession::changed(uint32_t place) {
  places.insert(place);
  toSay.ring();
}

void PresenceSession::say(const presence::Said& said) {
  if (unsaid.size() == UNSAID_MAX) unsaid.pop_front();
  unsaid.push_back(said);
  toSay.ring();
}

kj::Maybe<Message> PresenceSession::next() {
  if (!places.empty()) return owner.stateOf(places.extract(places.begin()).value());
  if (unsaid.empty()) return nullptr;
  Message message = kj::mv(unsaid.front());
  unsaid.pop_front();
  return kj::mv(message);
}

kj::Promise<Result<void>> PresenceSession::speak() {
  for (;;) {
    auto message = next();
    KJ_IF_MAYBE(said, message) {
      auto bytes = presence::encode(*said);
      co_await stream->write(bytes.begin(), bytes.size());
    } else {
      co_await toSay.wait();
    }
  }
}

kj::Promise<Result<void>> PresenceSession::listen() {
  for (;;) {
    auto read = co_await presence::read(*stream);
    if (!read) co_return no(read.error());
    KJ_IF_MAYBE(message, *read) {
      if (auto done = owner.received(peer, *message); !done) co_return no(done.error());
    } else {
      co_return Result<void>();
    }
  }
}

}  // namespace hearth::devices
