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
  dropLater(kj::mv(link));
}

void Links::adopt(kj::Own<Carrier> carrier, Handshake handshake) {
  makeRoom();
  unconfirmed.push_back(
      kj::heap<Link>(kj::mv(carrier), kj::mv(handshake), tools, static_cast<Link::Owner&>(*this)));
}

kj::Own<Link> Links::takeUnconfirmed(Link& link) {
  auto found = std::ranges::find_if(unconfirmed, [&](auto& held) { return held.get() == &link; });
  if (found == unconfirmed.end()) return {};
  auto taken = kj::mv(*found);
  unconfirmed.erase(found);
  return taken;
}

// The newest call by the same side is the one that is alive; of two by both sides at once, both
// keep the one that goes straight, or else the one by the smaller id (SECURITY.md §6.4).
bool Links::prefers(const Link& fresh, const Peer& holding) const {
  if (tools.timer.now() - holding.since > AT_ONCE) return true;
  if (fresh.path().isDirect() != holding.link->path().isDirect()) return fresh.path().isDirect();
  auto self = tools.circle.self().id;
  auto caller = [&](const Link& link) { return link.initiated() ? self : link.peer(); };
  return caller(fresh) <= caller(*holding.link);
}

void Links::confirmed(Link& link) {
  if (link.membershipOnly()) return;
  auto own = takeUnconfirmed(link);
  auto& peer = peers[link.peer()];
  if (peer.link.get() == nullptr) return install(peer, kj::mv(own));
  if (!prefers(link, peer)) {
    own->close(Errc::BUSY);
    unconfirmed.push_back(kj::mv(own));
    return;
  }
  auto loser = kj::mv(peer.link);
  observer.peerDown(loser->peer(), {Errc::STALE, "the peer called anew"});
  loser->close(Errc::BUSY);
  unconfirmed.push_back(kj::mv(loser));
  install(peer, kj::mv(own));
}

void Links::install(Peer& peer, kj::Own<Link> link) {
  peer.attention = nullptr;
  peer.capability = nullptr;
  peer.rpc = nullptr;
  peer.link = kj::mv(link);
  peer.since = tools.timer.now();
  peer.backoff = REDIAL_AFTER;
  if (peer.attending > 0) peer.attention = peer.link->attend();
  peer.improving = nullptr;
  if (!peer.link->path().isDirect()) {
    peer.improving = improve(peer.link->peer()).eagerlyEvaluate([](kj::Exception&& e) {
      KJ_LOG(WARNING, "a better way could not be looked for", e);
    });
  }
  if (peer.link->initiated()) {
    kj::byte header[] = {STREAM_KIND_RPC};
    auto stream = peer.link->open(Lane::CONTROL, header);
    KJ_REQUIRE(stream.has_value(), stream.error().because);
    startRpc(peer, kj::mv(*stream));
  } else {
    peer.expecting = expectRpc(peer.link->peer()).eagerlyEvaluate(nullptr);
  }
}

// A caller opens RPC at once. What it has sent may have been kept back on the way: then the link is of
// no use to either side, and while one holds it neither would call again.
kj::Promise<void> Links::expectRpc(DeviceId id) {
  co_await tools.timer.afterDelay(RPC_WITHIN);
  auto& peer = peers[id];
  if (peer.link.get() != nullptr && peer.rpc.get() == nullptr) peer.link->close(Errc::STALE);
}

// The peer is of use once RPC runs: only then it is announced.
void Links::startRpc(Peer& peer, kj::Own<kj::AsyncIoStream> stream) {
  auto id = peer.link->peer();
  peer.expecting = nullptr;
  peer.rpc = kj::heap<LinkRpc>(kj::mv(stream), peer.link->initiated(), observer.bootstrapFor(id));
  peer.capability = peer.rpc->peer();
  if (peer.link->path().kind != Path::Kind::MEMBER) newWayThrough(id);
  observer.peerUp(id);
}

void Links::incoming(
    Link& link, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) {
  auto found = peers.find(link.peer());
  if (header.size() == 0 || found == peers.end() || found->second.link.get() != &link) return;
  auto& peer = found->second;
  switch (header[0]) {
    case STREAM_KIND_RPC:
      if (!link.initiated() && peer.rpc.get() == nullptr) startRpc(peer, kj::mv(stream));
      break;
    case STREAM_KIND_CARRY:
      if (auto carried = carry(link, header, stream); !carried)
        KJ_LOG(INFO, "a peer is not carried", link.peer(), carried.error().because);
      break;
    case STREAM_KIND_CARRIED:
      if (link.path().kind != Path::Kind::MEMBER)
        tasks.add(answerCarried(link.peer(), kj::mv(stream)));
      break;
    default:
      observer.incoming(link.peer(), kj::mv(header), kj::mv(stream));
  }
}

void Links::closed(Link& link, Error why) {
  auto id = link.peer();
  KJ_LOG(INFO, "a link has ended", id, why.because);
  auto own = takeUnconfirmed(link);
  if (own.get() != nullptr) {
    bool resynced = link.membershipOnly();
    auto again = link.isRestricted() ? REDIAL_AFTER_MAX : 0 * kj::SECONDS;
    dropLater(kj::mv(own));
    // A stranger's end leaves nothing behind: there is no end of strangers.
    auto known = peers.find(id);
    if (known == peers.end()) return;
    auto& peer = known->second;
    if (resynced && peer.link.get() == nullptr && !peer.isDialling) dialSoon(id, again);
    return;
  }
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() != &link) return;
  auto& peer = found->second;
  bool announced = peer.rpc.get() != nullptr;
  peer.attention = nullptr;
  peer.improving = nullptr;
  peer.capability = nullptr;
  // What RPC still holds ends by the hub, in its own time.
  auto rpc = kj::mv(peer.rpc);
  auto gone = kj::mv(peer.link);
  tasks.add(kj::evalLater([rpc = kj::mv(rpc)]() {}));
  dropLater(kj::mv(gone));
  if (announced) observer.peerDown(id, why);
  if (!peer.isDialling) dialSoon(id, REDIAL_AFTER);
}

// A link is never destroyed from within its own call.
void Links::dropLater(kj::Own<Link> link) {
  tasks.add(kj::evalLater([link = kj::mv(link)]() {}));
}

Result<kj::Own<kj::AsyncIoStream>> Links::open(
    const DeviceId& id, Lane lane, kj::ArrayPtr<const kj::byte> header) {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() == nullptr)
    return no(Errc::STALE, "there is no link to the device");
  return found->second.link->open(lane, header);
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
  if (++peer.attending == 1 && peer.link.get() != nullptr) peer.attention = peer.link->attend();
  return kj::heap(kj::defer([this, id]() {
    auto& peer = peers[id];
    if (--peer.attending == 0) peer.attention = nullptr;
  }));
}

void Links::hangUp() {
  tasks.clear();
  ferry->stop();
  for (auto& [id, peer]: peers) {
    peer.isWanted = false;
    peer.addresses.clear();
    peer.dialling = nullptr;
    peer.improving = nullptr;
    peer.expecting = nullptr;
    peer.attention = nullptr;
    peer.capability = nullptr;
    peer.rpc = nullptr;
    peer.link = nullptr;
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
    holdings.push_back({"addresses of a peer", peer.addresses.size(), CALLED_MAX});
    if (peer.link.get() != nullptr) peer.link->addTo(holdings);
  }
}

void Links::drop(const DeviceId& id, Errc reason) {
  auto& peer = peers[id];
  peer.isWanted = false;
  peer.addresses.clear();
  peer.dialling = nullptr;
  peer.isDialling = false;
  if (peer.link.get() != nullptr) peer.link->close(reason);
  for (auto& link: unconfirmed) {
    if (link->peer() == id) link->close(reason);
  }
}

void Links::taskFailed(kj::Exception&& e) {
  auto type = e.getType();
  if (type == kj::Exception::Type::FAILED) KJ_LOG(WARNING, "a call failed", e.getDescription());
}

}  // namespace hearth::transport
