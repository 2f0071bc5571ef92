// How Links calls a peer that it has no link to: over whichever of its places answers.
#include "transport/link/links.h"
#include "transport/link/udp-connector.h"

#include <kj/debug.h>

#include <utility>

namespace hearth::transport {

void Links::setAddresses(const DeviceId& id, std::vector<std::string> addresses) {
  auto& peer = peers[id];
  if (addresses.size() > CALLED_MAX) addresses.resize(CALLED_MAX);
  if (peer.calling.isWanted && peer.calling.addresses == addresses) return;
  peer.calling.isWanted = true;
  peer.calling.addresses = kj::mv(addresses);
  peer.calling.backoff = Calling::AGAIN_AFTER;
  if (peer.link.get() == nullptr) return dialSoon(id, 0 * kj::SECONDS);
  peer.bettering.news.ring();
}

void Links::dialSoon(const DeviceId& id, kj::Duration after) {
  auto& peer = peers[id];
  if (!peer.calling.isWanted) return;
  peer.calling.isDialling = true;
  peer.calling.dialling = dial(id, after).eagerlyEvaluate([this, id](kj::Exception&& e) {
    KJ_LOG(WARNING, "calling a peer failed", e);
    peers[id].calling.isDialling = false;
  });
}

kj::Promise<void> Links::dial(DeviceId id, kj::Duration after) {
  co_await tools.timer.afterDelay(after);
  for (;;) {
    auto& peer = peers[id];
    peer.calling.hasNews = false;
    co_await tryAll(id, pathsTo(id));
    if (peer.link.get() != nullptr || !peer.calling.isWanted) break;
    if (peer.calling.hasNews) continue;
    if (peer.calling.addresses.empty() && !peer.calling.resyncNext) {
      co_await peer.calling.news.wait();
      continue;
    }
    // A call that only lacked the epoch is repeated at once, as IKhfs.
    auto pause = peer.calling.resyncNext ? Calling::AGAIN_AFTER : peer.calling.nextPause();
    // Two devices that lost each other at one moment do not call each other at one moment for ever.
    auto jitter = tools.entropy.draw<uint8_t>() * (pause / 1024);
    co_await tools.timer.afterDelay(pause + jitter).exclusiveJoin(peer.calling.news.wait());
    if (peer.link.get() != nullptr) break;
  }
  peers[id].calling.isDialling = false;
}

std::vector<Path> Links::pathsTo(const DeviceId& id) {
  std::vector<Path> paths;
  for (auto& address: peers[id].calling.addresses) {
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
    bool resync = std::exchange(peers[id].calling.resyncNext, false);
    auto handshake = co_await initiate(tools, *carrier, id, freshIndex(), resync);
    if (handshake) {
      if (!onlyInDoubt || !hasAnswered(id)) adopt(kj::mv(carrier), kj::mv(*handshake));
      co_return true;
    }
    auto code = handshake.error().code;
    peers[id].calling.resyncNext =
        !resync && (code == Errc::EPOCH_UNKNOWN || code == Errc::UNKNOWN_PEER);
  } catch (const kj::Exception& e) {
    if (e.getType() == kj::Exception::Type::FAILED)
      KJ_LOG(INFO, "a call failed", e.getDescription());
  }
  co_return false;
}

void Links::serveDatagrams(kj::Own<DatagramSocket> socket) {
  KJ_REQUIRE(datagrams.get() == nullptr, "datagrams are served already");
  auto x = crypto::publicOf(tools.circle.self().x);
  datagrams = kj::heap<UdpHost>(kj::mv(socket), x, tools.timer, tools.entropy);
  udp = kj::heap<UdpConnector>(*datagrams, network, tools.circle, tools.timer);
  dialer.plug(Path::Kind::UDP, *udp);
  tasks.add(acceptAll(datagrams->listen(), Path{Path::Kind::UDP, ""}));
}

}  // namespace hearth::transport
