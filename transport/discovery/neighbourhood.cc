#include "transport/discovery/neighbourhood.h"

#include <kj/debug.h>

namespace hearth::transport {

Neighbourhood::Neighbourhood(Surroundings around, uint16_t port, Part part)
    : around(around),
      port(port),
      finder(around.beacons),
      changing(nullptr) {
  if (part == Part::CALLS) browsing = around.link.browse(LocalLink::Service::LINK, *this);
  changing = changeWithSlots().eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "this device is not advertised any more", e); });
}

Neighbourhood::~Neighbourhood() noexcept(false) { around.link.withdraw(LocalLink::Service::LINK); }

uint64_t Neighbourhood::unixS() const {
  auto since = around.clock.now() - kj::UNIX_EPOCH;
  return since < 0 * kj::SECONDS ? 0 : static_cast<uint64_t>(since / kj::SECONDS);
}

// One wake-up for each slot. A clock that was set meanwhile is noticed at the next one, or at the next
// name that is heard.
kj::Promise<void> Neighbourhood::changeWithSlots() {
  for (;;) {
    auto now = unixS();
    carryOut(finder.tick(now));
    auto left = crypto::BEACON_SLOT_S - now % crypto::BEACON_SLOT_S;
    co_await around.timer.afterDelay(static_cast<int64_t>(left) * kj::SECONDS);
  }
}

void Neighbourhood::heard(const std::string& name, std::vector<std::string> places) {
  carryOut(finder.heard(name, std::move(places), unixS()));
}

void Neighbourhood::carryOut(Finder::Effects effects) {
  if (effects.advertise) advertise();
  if (effects.follow) follow();
  for (auto& device: effects.moved) around.observer.placesChanged(device);
}

void Neighbourhood::advertise() {
  auto name = finder.ownName();
  KJ_IF_MAYBE(own, name) {
    around.link.advertise(LocalLink::Service::LINK, *own, port);
  } else {
    around.link.withdraw(LocalLink::Service::LINK);
  }
}

void Neighbourhood::follow() {
  auto wanted = finder.wanted();
  KJ_IF_MAYBE(listening, browsing) {
    for (auto& name: followed) {
      if (!wanted.contains(name)) (*listening)->unfollow(name);
    }
    for (auto& name: wanted) {
      if (!followed.contains(name)) (*listening)->follow(name);
    }
  }
  followed = std::move(wanted);
}

}  // namespace hearth::transport
