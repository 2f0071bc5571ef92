// How Links calls a peer: over whichever of its places answers, through a member that has a link to both,
// and again when there is a better way.
#include "core/base/flat.h"
#include "transport/link/ferry.h"
#include "transport/link/links.h"
#include "transport/link/udp-connector.h"

#include <kj/debug.h>

#include <algorithm>
#include <utility>

namespace hearth::transport {

namespace {

[[noreturn]] void noWay(kj::StringPtr why) {
  kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, why));
}

crypto::Buffer carryHeader(kj::byte kind, const DeviceId& device) {
  FlatWriter out;
  out.u8(kind);
  out.bytes(device.asBytes());
  return out.finish();
}

}  // namespace

void Links::setAddresses(const DeviceId& id, std::vector<std::string> addresses) {
  auto& peer = peers[id];
  if (addresses.size() > CALLED_MAX) addresses.resize(CALLED_MAX);
  if (peer.isWanted && peer.addresses == addresses) return;
  peer.isWanted = true;
  peer.addresses = kj::mv(addresses);
  peer.backoff = REDIAL_AFTER;
  if (peer.link.get() == nullptr) return dialSoon(id, 0 * kj::SECONDS);
  peer.betterNews.ring();
}

void Links::dialSoon(const DeviceId& id, kj::Duration after) {
  auto& peer = peers[id];
  if (!peer.isWanted) return;
  peer.isDialling = true;
  peer.dialling = dial(id, after).eagerlyEvaluate([this, id](kj::Exception&& e) {
    KJ_LOG(WARNING, "calling a peer failed", e);
    peers[id].isDialling = false;
  });
}

kj::Promise<void> Links::dial(DeviceId id, kj::Duration after) {
  co_await tools.timer.afterDelay(after);
  for (;;) {
    auto& peer = peers[id];
    peer.hasNews = false;
    co_await tryAll(id, pathsTo(id));
    if (peer.link.get() != nullptr || !peer.isWanted) break;
    if (peer.hasNews) continue;
    if (peer.addresses.empty() && !peer.resyncNext) {
      co_await peer.news.wait();
      continue;
    }
    // A call that only lacked the epoch is repeated at once, as IKhfs.
    auto pause = peer.resyncNext ? REDIAL_AFTER : nextBackoff(peer);
    // Two devices that lost each other at one moment do not call each other at one moment for ever.
    auto jitter = tools.entropy.draw<uint8_t>() * (pause / 1024);
    co_await tools.timer.afterDelay(pause + jitter).exclusiveJoin(peer.news.wait());
    if (peer.link.get() != nullptr) break;
  }
  peers[id].isDialling = false;
}

kj::Duration Links::nextBackoff(Peer& peer) {
  auto pause = peer.backoff;
  peer.backoff = kj::min(peer.backoff * 2, REDIAL_AFTER_MAX);
  return pause;
}

std::vector<Path> Links::pathsTo(const DeviceId& id) {
  std::vector<Path> paths;
  for (auto& address: peers[id].addresses) {
    if (auto path = Path::parse(address)) paths.push_back(*path);
  }
  size_t detours = 0;
  for (auto& entry: peers) {
    if (detours == DETOURS_MAX) break;
    if (!mayAsk(entry.first, id)) continue;
    paths.push_back(Path::through(entry.first));
    ++detours;
  }
  return paths;
}

// Whether a member may have a way to the device. Of two devices that it has links to, the one that came
// last asks; so a refusal holds for a while.
bool Links::mayAsk(const DeviceId& member, const DeviceId& target) {
  if (member == target || !isUp(member) || peers[member].link.get() == nullptr) return false;
  if (peers[member].link->path().kind == Path::Kind::MEMBER) return false;
  auto& refusedBy = peers[target].refusedBy;
  auto refused = refusedBy.find(member);
  return refused == refusedBy.end() || tools.timer.now() - refused->second > ASK_MEMBER_AGAIN_AFTER;
}

// The link to a member has come up.
void Links::newWayThrough(const DeviceId& member) {
  for (auto& [id, peer]: peers) {
    peer.refusedBy.erase(member);
    if (id == member || peer.link.get() != nullptr) continue;
    peer.hasNews = true;
    peer.news.ring();
  }
}

// Until a link is being set up. Whoever answers at a path may be somebody else: then the others are
// tried on.
kj::Promise<void> Links::tryAll(DeviceId id, std::vector<Path> paths) {
  while (!paths.empty() && peers[id].link.get() == nullptr) {
    // A session that waits takes what is there; what is better is looked for afterwards.
    auto& session = peers[id].session;
    bool waits = session.get() != nullptr && session->handover.hasBegun();
    auto haste = waits ? Dialer::Haste::FIRST : Dialer::Haste::BEST;
    auto found = co_await dialer.dial(id, paths, haste);
    if (found == nullptr) co_return;
    auto& answered = KJ_ASSERT_NONNULL(found);
    std::erase(paths, answered.path);
    if (co_await call(id, kj::mv(answered))) co_return;
  }
}

// Whether a link is being set up. Only in doubt: not if the one that there is has answered by then.
kj::Promise<bool> Links::call(DeviceId id, Dialer::Found found, bool onlyInDoubt) {
  auto carrier = kj::heap<Carrier>(kj::mv(found.stream), kj::mv(found.path));
  try {
    bool resync = std::exchange(peers[id].resyncNext, false);
    auto handshake = co_await initiate(tools, *carrier, id, freshIndex(), resync);
    if (handshake) {
      if (!onlyInDoubt || !hasAnswered(id)) adopt(kj::mv(carrier), kj::mv(*handshake));
      co_return true;
    }
    auto code = handshake.error().code;
    peers[id].resyncNext = !resync && (code == Errc::EPOCH_UNKNOWN || code == Errc::UNKNOWN_PEER);
  } catch (const kj::Exception& e) {
    if (e.getType() == kj::Exception::Type::FAILED)
      KJ_LOG(INFO, "a call failed", e.getDescription());
  }
  co_return false;
}

// What goes straight is tried again and again while the link makes a detour, and where the peer says
// that it is now. The session moves with all of its streams, whatever they do.
kj::Promise<void> Links::improve(DeviceId id) {
  auto& peer = peers[id];
  for (auto pause = BETTER_AFTER;; pause = kj::min(pause * 2, BETTER_AFTER_MAX)) {
    // +-20 %, SECURITY.md §6.4.
    auto jitter = tools.entropy.draw<uint8_t>() * (pause * 2 / 5 / 255) - pause / 5;
    co_await tools.timer.afterDelay(pause + jitter).exclusiveJoin(peer.betterNews.wait());
    if (peer.link.get() == nullptr || peer.link->path().isDirect()) co_return;
    auto paths = pathsTo(id);
    try {
      auto met = observer.meet(id);
      for (auto& place: co_await tools.timer.timeoutAfter(MEET_WITHIN, kj::mv(met))) {
        if (auto path = Path::parse(place)) paths.push_back(*path);
      }
    } catch (const kj::Exception& e) {
      KJ_LOG(INFO, "a peer does not say where it is", e.getDescription());
    }
    co_await improveOnce(id, kj::mv(paths));
  }
}

kj::Promise<void> Links::improveOnce(DeviceId id, std::vector<Path> paths) {
  auto& peer = peers[id];
  if (peer.link.get() == nullptr) co_return;
  auto found = co_await dialer.dial(id, Dialer::better(paths, peer.link->path()));
  KJ_IF_MAYBE(better, found) co_await call(id, kj::mv(*better));
}

void Links::callAt(const DeviceId& id, std::vector<std::string> addresses) {
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() == nullptr) return;
  // A peer says where this device sends its first datagrams: not as often as it likes.
  auto& peer = found->second;
  auto now = tools.timer.now();
  if (now < peer.meetAgainAt) return;
  peer.meetAgainAt = now + MEET_AGAIN_AFTER;
  std::vector<Path> paths;
  for (auto& address: addresses) {
    if (paths.size() == ADDRESSES_MAX) break;
    if (auto path = Path::parse(address)) paths.push_back(*path);
  }
  peer.meeting = improveOnce(id, kj::mv(paths)).eagerlyEvaluate(nullptr);
}

void Links::moved() {
  for (auto& [id, peer]: peers) {
    if (peer.link.get() == nullptr) {
      peer.backoff = REDIAL_AFTER;
      peer.hasNews = true;
      peer.news.ring();
      continue;
    }
    peer.link->askNow();
    std::vector<Path> straight;
    for (auto& path: pathsTo(id)) {
      if (path.isDirect()) straight.push_back(path);
    }
    callAnew(id, callOver(id, kj::mv(straight)));
  }
}

void Links::doubted(Link& link) {
  auto found = peers.find(link.peer());
  if (found == peers.end() || found->second.link.get() != &link) return;
  auto& [id, peer] = *found;
  if (!peer.isCallingAnew) callAnew(id, callInDoubt(id));
}

// Before the link is known to be of no use, if it is: by the time that its silence tells, another one works.
void Links::callAnew(const DeviceId& id, kj::Promise<void> calling) {
  auto& peer = peers[id];
  peer.isCallingAnew = true;
  peer.callingAnew = calling.then([this, id]() { peers[id].isCallingAnew = false; })
                         .eagerlyEvaluate([this, id](kj::Exception&& e) {
                           KJ_LOG(WARNING, "a peer could not be called anew", e);
                           peers[id].isCallingAnew = false;
                         });
}

kj::Promise<void> Links::callOver(DeviceId id, std::vector<Path> paths) {
  auto found = co_await dialer.dial(id, kj::mv(paths), Dialer::Haste::FIRST);
  KJ_IF_MAYBE(other, found) co_await call(id, kj::mv(*other));
}

// A link that has answered meanwhile goes on as it was: over a line that is merely thin, moving costs more than
// waiting, as what is under way is sent again.
kj::Promise<void> Links::callInDoubt(DeviceId id) {
  auto found = co_await dialer.dial(id, pathsTo(id), Dialer::Haste::FIRST);
  if (hasAnswered(id)) co_return;
  KJ_IF_MAYBE(other, found) co_await call(id, kj::mv(*other), true);
}

bool Links::hasAnswered(const DeviceId& id) {
  auto& link = peers[id].link;
  return link.get() != nullptr && !link->isInDoubt();
}

void Links::serveDatagrams(kj::Own<DatagramSocket> socket) {
  KJ_REQUIRE(datagrams.get() == nullptr, "datagrams are served already");
  auto x = crypto::publicOf(tools.circle.self().x);
  datagrams = kj::heap<UdpHost>(kj::mv(socket), x, tools.timer, tools.entropy);
  udp = kj::heap<UdpConnector>(*datagrams, network, tools.circle, tools.timer);
  dialer.plug(Path::Kind::UDP, *udp);
  tasks.add(acceptAll(datagrams->listen(), Path{Path::Kind::UDP, ""}));
}

kj::Promise<std::vector<std::string>> Links::seenAs() {
  constexpr size_t ASKED_MAX = 2;
  std::vector<kj::Promise<kj::Maybe<UdpAddress>>> asked;
  for (auto& [id, peer]: peers) {
    if (udp.get() == nullptr || asked.size() == ASKED_MAX) break;
    if (!isUp(id) || peer.link.get() == nullptr || !peer.link->path().isDirect()) continue;
    std::vector<Path> places;
    for (auto& path: pathsTo(id)) {
      if (path.kind == Path::Kind::UDP) places.push_back(path);
    }
    if (!places.empty()) asked.push_back(udp->seenBy(id, kj::mv(places), MEET_WITHIN / 2));
  }
  std::vector<std::string> seen;
  for (auto& answer: asked) {
    KJ_IF_MAYBE(address, co_await kj::mv(answer)) {
      auto text = Path{Path::Kind::UDP, address->toString().cStr()}.text();
      if (std::ranges::find(seen, text) == seen.end()) seen.push_back(text);
    }
  }
  co_return seen;
}

// The way through a member: a stream to it, on which it says one byte when it has one to the peer.
kj::Promise<kj::Own<kj::AsyncIoStream>> Links::connect(const DeviceId& target, const Path& path) {
  auto id = target;
  auto member = KJ_REQUIRE_NONNULL(path.member(), "not a path through a member");
  if (!mayAsk(member, id)) noWay("the member has no way to the device");
  auto stream = open(member, Lane::BULK, carryHeader(STREAM_KIND_CARRY, id));
  if (!stream) noWay(stream.error().because);
  kj::byte yes[1];
  try {
    co_await (*stream)->read(yes, sizeof(yes));
  } catch (const kj::Exception&) {
    peers[id].refusedBy.insert_or_assign(member, tools.timer.now());
    throw;
  }
  co_return kj::mv(*stream);
}

// A peer asks to be carried. What is carried runs on the bulk lane: whatever this device and its peers
// have to say to each other goes first.
Result<void> Links::carry(
    Link& from, kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream>& stream) {
  auto target = DeviceId::from(header.slice(1, header.size()));
  if (!target) return no(Errc::BAD_FORMAT, "a stream that does not say where to");
  auto wanted = *target;
  // One detour at most: no chains, no circles.
  if (from.path().kind == Path::Kind::MEMBER)
    return no(Errc::NOT_AUTHORISED, "a carried link carries nobody else");
  if (wanted == from.peer() || !isUp(wanted) || peers[wanted].link.get() == nullptr ||
      peers[wanted].link->path().kind == Path::Kind::MEMBER)
    return no(Errc::UNKNOWN_PEER, "this device has no link of its own to that one");
  for (auto& end: {from.peer(), wanted}) {
    auto member = tools.circle.find(end);
    if (member == nullptr || KJ_ASSERT_NONNULL(member).standing != Circle::Standing::ACTIVE)
      return no(Errc::NOT_AUTHORISED, "not between active devices of the circle");
  }
  if (auto may = ferry->mayCarry(from.peer()); !may) return no(may.error());
  auto onward = open(wanted, Lane::BULK, carryHeader(STREAM_KIND_CARRIED, from.peer()));
  if (!onward) return no(onward.error());
  ferry->carry(from.peer(), wanted, kj::mv(stream), kj::mv(*onward));
  return {};
}

// Whoever is carried here is a caller like any other. A member that brings many keeps nobody else out.
kj::Promise<void> Links::answerCarried(DeviceId member, kj::Own<kj::AsyncIoStream> stream) {
  auto& brought = peers[member].carriedHalfOpen;
  if (brought >= CARRIED_HALF_OPEN_MAX) co_return;
  ++brought;
  KJ_DEFER(--brought);
  co_await answer(kj::mv(stream), Path::through(member));
}

}  // namespace hearth::transport
