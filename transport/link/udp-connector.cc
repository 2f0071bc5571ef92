#include "transport/link/udp-connector.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

PacketKey exported(const crypto::LinkSession& session, kj::StringPtr label) {
  return PacketKey::make([&](kj::ArrayPtr<kj::byte> out) {
    crypto::exportKey(session.keys.exporter, session.keys.noiseH, label, out);
  });
}

}  // namespace

kj::Promise<UdpConnector::Target> UdpConnector::targetOf(DeviceId peer, std::string address) {
  auto known = circle.find(peer);
  auto& member = KJ_REQUIRE_NONNULL(known, "a device that is not in the circle");
  auto x = member.x;
  auto target = co_await network.parseAddress(address.c_str());
  auto place = UdpAddress::parse(target->toString());
  co_return Target{KJ_REQUIRE_NONNULL(place, "no address for datagrams"), x};
}

kj::Promise<kj::Own<kj::AsyncIoStream>> UdpConnector::connect(
    const DeviceId& peer, const Path& path) {
  auto target = co_await targetOf(peer, path.address);
  co_return co_await host.connect(target.place, target.x);
}

kj::Promise<UdpAddress> UdpConnector::seenAt(DeviceId peer, Path place) {
  auto target = co_await targetOf(peer, place.address);
  co_return co_await host.seenBy(target.place, target.x);
}

kj::Promise<kj::Maybe<UdpAddress>> UdpConnector::seenBy(
    DeviceId peer, std::vector<Path> places, kj::Duration within) {
  auto known = seen.find(peer);
  if (known != seen.end() && timer.now() - known->second.at < SEEN_FOR) co_return known->second.as;
  if (places.size() > PLACES_ASKED_MAX) places.resize(PLACES_ASKED_MAX);
  kj::Maybe<UdpAddress> as;
  Bell heard;
  kj::Vector<kj::Promise<void>> asking;
  for (auto& place: places) {
    asking.add(seenAt(peer, place)
            .then([&](UdpAddress address) {
              if (as == nullptr) as = address;
              heard.ring();
            })
            // It does not answer there: perhaps it does elsewhere.
            .catch_([](kj::Exception&&) {})
            .eagerlyEvaluate(nullptr));
  }
  co_await kj::joinPromises(asking.releaseAsArray())
      .exclusiveJoin(heard.wait())
      .exclusiveJoin(timer.afterDelay(within));
  KJ_IF_MAYBE(address, as) {
    if (seen.size() >= SEEN_MAX) seen.clear();
    seen.insert_or_assign(peer, Seen{*address, timer.now()});
  }
  co_return as;
}

void protect(kj::AsyncIoStream& carrier, const crypto::LinkSession& session) {
  auto secured = dynamic_cast<Secured*>(&carrier);
  if (secured == nullptr) return;
  auto i2r = exported(session, "hearth/export/udp-i2r/v1");
  auto r2i = exported(session, "hearth/export/udp-r2i/v1");
  if (session.initiator) {
    secured->secure({kj::mv(i2r), kj::mv(r2i)});
  } else {
    secured->secure({kj::mv(r2i), kj::mv(i2r)});
  }
}

}  // namespace hearth::transport
