// Over which link the session with a peer goes, and what becomes of it when that link ends. The device with
// the smaller id chooses (handover.h); the other one's links wait without a place until it has.
#include "transport/link/links.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::transport {

bool Links::chooses(const DeviceId& id) const { return tools.circle.self().id < id; }

// A newer call is better than an older one, whose caller may have lost it: unless it makes a detour, and
// was begun at the same time.
bool Links::prefers(const Link& fresh, const Peer& holding) const {
  auto& held = *holding.link;
  if (!held.isUp() || held.membershipOnly() || held.isInDoubt()) return true;
  if (tools.timer.now() - holding.since > AT_ONCE) return true;
  return fresh.path().isDirect() || !held.path().isDirect();
}

void Links::confirmed(Link& link) {
  auto id = link.peer();
  if (link.membershipOnly()) {
    if (link.isRestricted()) restricted(link);
    return;
  }
  auto& peer = peers[id];
  if (!chooses(id) || peer.link.get() == &link || link.isLetGo()) return;
  if (peer.link.get() == nullptr || prefers(link, peer)) {
    choose(peer, takeUnconfirmed(link));
  } else {
    link.close(Errc::BUSY);
    peer.link->askNow();  // for the peer seems to have lost it
  }
}

void Links::replace(Peer& peer, kj::Own<Link> link) {
  auto old = std::exchange(peer.link, kj::mv(link));
  peer.since = tools.timer.now();
  peer.bettering.improving = nullptr;
  if (old.get() == nullptr) return;
  auto& handover = peer.session->handover;
  if (!old->isAgreed() && !handover.isChooser()) {
    old->giveBack();  // the chooser may just be going on over it
  } else if (handover.isChooser()) {
    // The follower hangs up when it has heard where the session goes on, and not before.
    old->letGo();
    old->closeLater(Errc::BUSY);
  } else {
    old->letGo();
    old->close(Errc::BUSY);
  }
  unconfirmed.push_back(kj::mv(old));
}

void Links::choose(Peer& peer, kj::Own<Link> link) {
  auto id = link->peer();
  if (peer.session.get() == nullptr) peer.session = kj::refcounted<Session>(true, tools.timer);
  replace(peer, kj::mv(link));
  auto& session = *peer.session;
  peer.link->prepare(kj::addRef(session));
  bool begins = !session.handover.hasBegun();
  auto states = begins ? LaneStates() : session.states();
  peer.link->say(session.handover.call(kj::mv(states), peer.link->token()));
  if (begins) carryOn(id, peer);
}

// The follower has no session, and does not wait to hear that one begins.
void Links::assume(Peer& peer, kj::Own<Link> link) {
  auto id = link->peer();
  peer.session = kj::refcounted<Session>(false, tools.timer);
  replace(peer, kj::mv(link));
  peer.session->handover.assume(peer.link->token());
  peer.link->prepare(kj::addRef(*peer.session));
  carryOn(id, peer);
}

Result<void> Links::resumed(Link& link, Resume resume) {
  auto id = link.peer();
  auto& peer = peers[id];
  if (!chooses(id)) return called(link, peer, resume);
  if (peer.link.get() != &link) return no(Errc::BAD_FORMAT, "a RESUME that nobody has asked for");
  return answered(id, peer, resume);
}

// The chooser's side.
Result<void> Links::answered(const DeviceId& id, Peer& peer, const Resume& resume) {
  if (peer.session.get() == nullptr) return no(Errc::STALE, "a session that is over");
  bool wasAssumed = peer.session->handover.isAssumed();
  auto outcome = peer.session->handover.answered(resume);
  if (!outcome) return no(outcome.error());
  agreed(peer);
  if (*outcome == Handover::Outcome::AGREES) return {};
  bool goesOn = *outcome == Handover::Outcome::GOES_ON;
  if (goesOn || wasAssumed) {
    if (auto good = peer.session->goOn(goesOn ? resume.states : LaneStates()); !good) return good;
  } else {
    beginAnew(id, peer, kj::refcounted<Session>(peer.session->handover, tools.timer));
    peer.link->prepare(kj::addRef(*peer.session));
  }
  carryOn(id, peer);
  return {};
}

// The follower's side.
Result<void> Links::called(Link& link, Peer& peer, const Resume& resume) {
  auto id = link.peer();
  auto session = peer.session.get() == nullptr ? kj::refcounted<Session>(false, tools.timer)
                                               : kj::addRef(*peer.session);
  bool wasAssumed = session->handover.isAssumed();
  auto outcome = session->handover.called(resume);
  if (!outcome && outcome.error().code == Errc::STALE) {
    link.close(Errc::BUSY);
    return {};
  }
  if (!outcome) return no(outcome.error());
  agreed(peer);
  bool isPlaced = peer.link.get() == &link;
  if (*outcome == Handover::Outcome::AGREES) {
    if (!isPlaced) return no(Errc::BAD_FORMAT, "a session of another link");
    link.say(session->handover.answer(LaneStates()));
    return {};
  }
  bool goesOn = *outcome == Handover::Outcome::GOES_ON;
  if (!goesOn && !wasAssumed) {
    if (peer.session.get() != nullptr)
      session = kj::refcounted<Session>(session->handover, tools.timer);
    beginAnew(id, peer, kj::mv(session));
  }
  auto& now = *peer.session;
  if (!isPlaced) {
    auto own =
        takeUnconfirmed(link);  // it says RESUME once, and nothing when it has given way to others
    KJ_ASSERT(own.get() != nullptr);
    replace(peer, kj::mv(own));
    link.prepare(kj::addRef(now));
  }
  link.say(now.handover.answer(goesOn ? now.states() : LaneStates()));
  if (goesOn || wasAssumed) {
    if (auto good = now.goOn(goesOn ? resume.states : LaneStates()); !good) return good;
  }
  carryOn(id, peer);
  return {};
}

void Links::beginAnew(const DeviceId& id, Peer& peer, kj::Own<Session> session) {
  endSession(id, peer, {Errc::STALE, "the peer called anew"});
  peer.session = kj::mv(session);
}

// The peer has said over which link the session goes, too.
void Links::agreed(Peer& peer) {
  peer.calling.backoff = kj::min(peer.calling.backoff, STEADY_AFTER);
}

void Links::carryOn(const DeviceId& id, Peer& peer) {
  peer.parted = nullptr;
  peer.link->carry();
  if (peer.attending > 0 && peer.attention == nullptr) peer.attention = peer.session->attend();
  if (!peer.link->path().isDirect()) {
    peer.bettering.improving = improve(id).eagerlyEvaluate(
        [](kj::Exception&& e) { KJ_LOG(WARNING, "a better way could not be looked for", e); });
  }
  // Whoever waits to call again need not: when this link is cut, it is called for at once.
  peer.calling.news.ring();
  if (peer.rpc.get() != nullptr) return announce(id, peer);
  if (peer.session->handover.isChooser()) {
    peer.expecting = expectRpc(id).eagerlyEvaluate(nullptr);
    if (peer.link->initiated()) announce(id, peer);
  } else {
    kj::byte header[] = {STREAM_KIND_RPC};
    auto stream = peer.session->open(Lane::CONTROL, header);
    KJ_REQUIRE(stream.has_value(), stream.error().because);
    startRpc(id, peer, kj::mv(*stream));
  }
}

// The follower opens RPC at once. What it has sent may have been kept back on the way: then the link is of
// no use to either side, and while one holds it neither would call again.
kj::Promise<void> Links::expectRpc(DeviceId id) {
  co_await tools.timer.afterDelay(RPC_WITHIN);
  auto& peer = peers[id];
  if (peer.link.get() != nullptr && peer.rpc.get() == nullptr) peer.link->close(Errc::STALE);
}

void Links::startRpc(const DeviceId& id, Peer& peer, kj::Own<kj::AsyncIoStream> stream) {
  peer.expecting = nullptr;
  bool opened = !peer.session->handover.isChooser();
  peer.rpc = kj::heap<LinkRpc>(kj::mv(stream), opened, observer.bootstrapFor(id));
  KJ_IF_MAYBE(comes, peer.capabilityComes) {
    (*comes)->fulfill(peer.rpc->peer());
    peer.capabilityComes = nullptr;
  } else {
    announce(id, peer);
  }
}

// Whoever was called is of use once RPC runs, and is announced then. Whoever has called does not wait for it: what is
// asked of the peer by RPC meanwhile goes out when that has come.
void Links::announce(const DeviceId& id, Peer& peer) {
  bool isNews = peer.capability == nullptr;
  if (isNews && peer.rpc.get() != nullptr) {
    peer.capability = peer.rpc->peer();
  } else if (isNews) {
    auto coming = kj::newPromiseAndFulfiller<capnp::Capability::Client>();
    peer.capability = capnp::Capability::Client(kj::mv(coming.promise));
    peer.capabilityComes = kj::mv(coming.fulfiller);
  }
  if (peer.link->path().kind != Path::Kind::MEMBER) newWayThrough(id);
  if (isNews) {
    observer.peerUp(id);
  } else {
    observer.peerMoved(id);
  }
}

void Links::renounce(const DeviceId& id, Peer& peer, Error why) {
  if (peer.capability == nullptr) return;
  peer.dropCapability();
  observer.peerDown(id, why);
}

void Links::incoming(
    Link& link, kj::Array<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream) {
  auto found = peers.find(link.peer());
  if (header.size() == 0 || found == peers.end() || found->second.link.get() != &link) return;
  auto& [id, peer] = *found;
  switch (header[0]) {
    case STREAM_KIND_RPC:
      if (chooses(id) && peer.rpc.get() == nullptr) startRpc(id, peer, kj::mv(stream));
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

void Links::restricted(Link& link) {
  auto found = peers.find(link.peer());
  if (found == peers.end()) return;
  auto& peer = found->second;
  endSession(link.peer(), peer, {Errc::SUSPENDED, "the circle has let go of the peer"});
  if (peer.link.get() != nullptr && peer.link.get() != &link) peer.link->close(Errc::STALE);
}

void Links::closed(Link& link, Error why, Link::Ending ending) {
  auto id = link.peer();
  KJ_LOG(INFO, "a link has ended", id, why.because);
  auto own = takeUnconfirmed(link);
  if (own.get() != nullptr) {
    bool resynced = link.membershipOnly();
    auto again = link.isRestricted() ? Calling::AGAIN_AFTER_MAX : 0 * kj::SECONDS;
    dropLater(kj::mv(own));
    // A stranger's end leaves nothing behind: there is no end of strangers.
    auto known = peers.find(id);
    if (known == peers.end()) return;
    auto& peer = known->second;
    if (resynced && peer.link.get() == nullptr && !peer.calling.isDialling) dialSoon(id, again);
    return;
  }
  auto found = peers.find(id);
  if (found == peers.end() || found->second.link.get() != &link) return;
  auto& peer = found->second;
  auto silence = link.silence();
  bool restricted = link.isRestricted();
  bool served = link.hasCarried();
  // The session has left an older one for it, and goes over neither now: the peer shall notice at once.
  for (auto& older: unconfirmed) {
    if (!link.isAgreed() && older->peer() == id && older->isLetGo()) older->close(Errc::BUSY);
  }
  peer.bettering.improving = nullptr;
  dropLater(kj::mv(peer.link));
  bool waits = ending == Link::Ending::CUT && peer.session.get() != nullptr &&
      peer.session->handover.hasBegun();
  if (waits) {
    part(id, peer, why, silence);
  } else {
    endSession(id, peer, why);
  }
  if (peer.calling.isDialling) return;
  bool steady = served && tools.timer.now() - peer.since >= STEADY_AFTER;
  if (steady) peer.calling.backoff = Calling::AGAIN_AFTER;
  auto pause = steady ? peer.calling.backoff : peer.calling.nextPause();
  bool isFirst = pause == Calling::AGAIN_AFTER;
  dialSoon(id, restricted ? Calling::AGAIN_AFTER_MAX : waits && isFirst ? 0 * kj::SECONDS : pause);
}

void Links::part(const DeviceId& id, Peer& peer, Error why, kj::Duration silence) {
  if (peer.parted != nullptr) return;  // it has been without one already
  // Of two that call each other at once one loses its link to the other's, which is on its way.
  bool waitedFor = peer.session->isWaitedFor() || peer.session->handover.isAssumed();
  auto tellAfter = waitedFor ? kj::max(NOTICED_WITHIN - silence, 0 * kj::SECONDS) : 0 * kj::SECONDS;
  peer.parted = waitForLink(id, why, tellAfter).eagerlyEvaluate(nullptr);
  if (tellAfter == 0 * kj::SECONDS) renounce(id, peer, why);
  // What goes through the peer waits with the session, and does not say so.
  for (auto& [other, carried]: peers) {
    if (carried.link.get() == nullptr) continue;
    KJ_IF_MAYBE(member, carried.link->path().member()) {
      if (*member == id) carried.link->askNow();
    }
  }
}

kj::Promise<void> Links::waitForLink(DeviceId id, Error why, kj::Duration tellAfter) {
  auto& peer = peers[id];
  auto until = tools.timer.now() + RESUME_WITHIN;
  co_await tools.timer.afterDelay(tellAfter);
  renounce(id, peer, why);
  co_await tools.timer.atTime(until);
  endSession(id, peer, why);
}

// All of its streams end, at once.
void Links::endSession(const DeviceId& id, Peer& peer, Error why) {
  if (peer.session.get() == nullptr) return;
  peer.attention = nullptr;
  peer.expecting = nullptr;
  if (peer.link.get() != nullptr && peer.link->isCarrying()) peer.link->letGo();
  auto session = kj::mv(peer.session);
  session->end();
  // What RPC still holds ends by the hub, in its own time; and the wait for a link may be what ends it here.
  auto parted = kj::mv(peer.parted);
  peer.parted = nullptr;
  tasks.add(kj::evalLater(
      [rpc = kj::mv(peer.rpc), session = kj::mv(session), parted = kj::mv(parted)]() {}));
  renounce(id, peer, why);
}

}  // namespace hearth::transport
