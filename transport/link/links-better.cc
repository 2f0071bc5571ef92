// How Links finds a better way to a peer than the link that there is: straight in place of a detour, from
// where this device is now, and past a link that does not answer.
#include "transport/link/links.h"
#include "transport/link/udp-connector.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::transport {

// What goes straight is tried again and again while the link makes a detour, and where the peer says
// that it is now. The session moves with all of its streams, whatever they do.
kj::Promise<void> Links::improve(DeviceId id) {
  auto& peer = peers[id];
  for (auto pause = BETTER_AFTER;; pause = kj::min(pause * 2, BETTER_AFTER_MAX)) {
    // +-20 %, SECURITY.md §6.4.
    auto jitter = tools.entropy.draw<uint8_t>() * (pause * 2 / 5 / 255) - pause / 5;
    co_await tools.timer.afterDelay(pause + jitter).exclusiveJoin(peer.bettering.news.wait());
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
  if (now < peer.bettering.meetAgainAt) return;
  peer.bettering.meetAgainAt = now + MEET_AGAIN_AFTER;
  std::vector<Path> paths;
  for (auto& address: addresses) {
    if (paths.size() == ADDRESSES_MAX) break;
    if (auto path = Path::parse(address)) paths.push_back(*path);
  }
  peer.bettering.meeting = improveOnce(id, kj::mv(paths)).eagerlyEvaluate(nullptr);
}

void Links::moved() {
  for (auto& [id, peer]: peers) {
    if (peer.link.get() == nullptr) {
      peer.calling.backoff = Calling::AGAIN_AFTER;
      peer.calling.hasNews = true;
      peer.calling.news.ring();
      continue;
    }
    peer.link->askNow();
    std::vector<Path> paths;
    for (auto& path: pathsTo(id)) {
      if (path.isDirect() || peer.link->isInDoubt()) paths.push_back(path);
    }
    callAnew(id, callOver(id, kj::mv(paths)));
  }
}

void Links::doubted(Link& link) {
  auto found = peers.find(link.peer());
  if (found == peers.end() || found->second.link.get() != &link) return;
  callAnew(found->first, callInDoubt(found->first));
}

// Before the link is known to be of no use, if it is: by the time that its silence tells, another one works.
void Links::callAnew(const DeviceId& id, kj::Promise<void> calling) {
  peers[id].bettering.callingAnew = calling.eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(WARNING, "a peer could not be called anew", e); });
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

}  // namespace hearth::transport
