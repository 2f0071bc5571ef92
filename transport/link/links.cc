#include "transport/link/links.h"

#include "transport/link/ferry.h"
#include "transport/link/udp-connector.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

Links::Links(HandshakeTools tools, kj::Network& network, Observer& observer)
    : tools(tools),
      network(network),
      tcp(network),
      dialer(tools.timer),
      ferry(kj::heap<Ferry>(tools.timer)),
      observer(observer),
      gate(tools.entropy, tools.timer.now()),
      tasks(*this) {
  dialer.plug(Path::Kind::TCP, tcp);
  dialer.plug(Path::Kind::MEMBER, *this);
}

Links::~Links() noexcept(false) = default;

void Links::serve(kj::Own<kj::ConnectionReceiver> receiver) {
  tasks.add(acceptAll(kj::mv(receiver), Path()));
}

kj::Promise<void> Links::acceptAll(kj::Own<kj::ConnectionReceiver> receiver, Path path) {
  for (;;) answerOn(co_await receiver->accept(), path);
}

void Links::answerOn(kj::Own<kj::AsyncIoStream> stream, Path path) {
  tasks.add(answer(kj::mv(stream), kj::mv(path)));
}

kj::Promise<void> Links::answer(kj::Own<kj::AsyncIoStream> stream, Path path) {
  auto carrier = kj::heap<Carrier>(kj::mv(stream), kj::mv(path));
  auto away = kj::newPromiseAndFulfiller<void>();
  auto entered = gate.enter(carrier->source(), tools.timer.now(),
      [away = kj::mv(away.fulfiller)]() mutable { away->fulfill(); });
  KJ_IF_MAYBE(place, entered) {
    auto& held = **place;
    return shakeHands(kj::mv(carrier), held)
        .exclusiveJoin(kj::mv(away.promise))
        .attach(kj::mv(*place));
  }
  return kj::READY_NOW;
}

kj::Promise<void> Links::shakeHands(kj::Own<Carrier> carrier, Gate::Place& place) {
  auto handshake = co_await respond(tools, gate, place, *carrier, freshIndex());
  if (handshake) {
    adopt(kj::mv(carrier), kj::mv(*handshake));
  } else {
    KJ_LOG(INFO, "a call was refused", handshake.error().because);
  }
}

// Whoever stays without a place gives way: nobody keeps others out by staying, nor fills memory.
void Links::makeRoom() {
  if (unconfirmed.size() < UNCONFIRMED_MAX) return;
  auto caller = std::ranges::find_if(unconfirmed, [](auto& held) { return !held->initiated(); });
  if (caller == unconfirmed.end()) return;
  auto link = kj::mv(*caller);
  unconfirmed.erase(caller);
  link->letGo();  // until it is dropped it may still hear its peer
  dropLater(kj::mv(link));
}

void Links::adopt(kj::Own<Carrier> carrier, Handshake handshake) {
  makeRoom();
  auto link =
      kj::heap<Link>(kj::mv(carrier), kj::mv(handshake), tools, static_cast<Link::Owner&>(*this));
  // Where there is nothing to lose, the session goes on behind the CONFIRM: the peer has just proved itself.
  auto id = link->peer();
  if (link->initiated() && !link->membershipOnly()) {
    auto& peer = peers[id];
    if (peer.link.get() == nullptr && chooses(id)) return choose(peer, kj::mv(link));
    if (peer.link.get() == nullptr && peer.session.get() == nullptr)
      return assume(peer, kj::mv(link));
  }
  unconfirmed.push_back(kj::mv(link));
}

kj::Own<Link> Links::takeUnconfirmed(Link& link) {
  auto found = std::ranges::find_if(unconfirmed, [&](auto& held) { return held.get() == &link; });
  if (found == unconfirmed.end()) return {};
  auto taken = kj::mv(*found);
  unconfirmed.erase(found);
  return taken;
}

// A link is never destroyed from within its own call.
void Links::dropLater(kj::Own<Link> link) {
  tasks.add(kj::evalLater([link = kj::mv(link)]() {}));
}

Result<kj::Own<kj::AsyncIoStream>> Links::open(
    const DeviceId& id, Lane lane, kj::ArrayPtr<const kj::byte> header) {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.capability == nullptr)
    return no(Errc::STALE, "there is no link to the device");
  return found->second.session->open(lane, header);
}

capnp::Capability::Client Links::rpc(const DeviceId& id) {
  auto found = peers.find(id);
  if (found != peers.end()) {
    KJ_IF_MAYBE(capability, found->second.capability) return *capability;
  }
  return KJ_EXCEPTION(DISCONNECTED, "there is no link to the device");
}

bool Links::isUp(const DeviceId& id) const {
  auto found = peers.find(id);
  return found != peers.end() && found->second.capability != nullptr;
}

std::vector<DeviceId> Links::peersUp() const {
  std::vector<DeviceId> up;
  for (auto& [id, peer]: peers) {
    if (peer.capability != nullptr) up.push_back(id);
  }
  return up;
}

kj::Maybe<Link::Facts> Links::factsOf(const DeviceId& id) {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() == nullptr) return nullptr;
  return found->second.link->facts();
}

kj::Maybe<kj::String> Links::addressOf(const DeviceId& id) {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() == nullptr) return nullptr;
  return found->second.link->address();
}

kj::Maybe<Path> Links::pathOf(const DeviceId& id) const {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() == nullptr) return nullptr;
  return found->second.link->path();
}

kj::Own<void> Links::attend(const DeviceId& id) {
  auto& peer = peers[id];
  if (++peer.attending == 1 && peer.session.get() != nullptr)
    peer.attention = peer.session->attend();
  return kj::heap(kj::defer([this, id]() {
    auto& peer = peers[id];
    if (--peer.attending == 0) peer.attention = nullptr;
  }));
}

void Links::hangUp() {
  tasks.clear();
  ferry->stop();
  for (auto& [id, peer]: peers) {
    peer.calling.stop();
    peer.bettering.stop();
    peer.expecting = nullptr;
    peer.attention = nullptr;
    peer.dropCapability();
    peer.rpc = nullptr;
    peer.parted = nullptr;
    peer.link = nullptr;
    if (peer.session.get() != nullptr) peer.session->end();
    peer.session = nullptr;
  }
  unconfirmed.clear();
}

void Links::sendNews() {
  for (auto& entry: peers) {
    if (entry.second.link.get() != nullptr) entry.second.link->sendNews();
  }
}

void Links::addTo(Holdings& holdings) const {
  holdings.push_back({"callers that are not authenticated", gate.halfOpen(), Gate::HALF_OPEN_MAX});
  // Beside those that stay: losers of a call at once, which say goodbye, and own calls.
  holdings.push_back(
      {"links without a place", unconfirmed.size(), UNCONFIRMED_MAX + 2 * peers.size()});
  ferry->addTo(holdings);
  if (datagrams.get() != nullptr) datagrams->addTo(holdings);
  for (auto& [id, peer]: peers) {
    holdings.push_back({"addresses of a peer", peer.calling.addresses.size(), CALLED_MAX});
    if (peer.link.get() != nullptr) peer.link->addTo(holdings);
    if (peer.session.get() != nullptr) peer.session->addTo(holdings);
  }
}

void Links::drop(const DeviceId& id, Errc reason) {
  auto& peer = peers[id];
  peer.calling.stop();
  peer.bettering.stop();
  if (peer.link.get() != nullptr) {
    peer.link->letGo();
    peer.link->close(reason);
  }
  endSession(id, peer, {reason, "the device has no part in it any more"});
  for (auto& link: unconfirmed) {
    if (link->peer() == id) link->close(reason);
  }
}

void Links::taskFailed(kj::Exception&& e) {
  auto type = e.getType();
  if (type == kj::Exception::Type::FAILED) KJ_LOG(WARNING, "a call failed", e.getDescription());
}

}  // namespace hearth::transport
