#include "transport/discovery/neighbourhood.h"

#include <kj/debug.h>

namespace hearth::transport {

Neighbourhood::Neighbourhood(Surroundings around, Ports ports, Part part)
    : around(around),
      finder(around.beacons),
      streams(*this, Finder::Carrier::STREAMS, ports.streams, part),
      datagrams(*this, Finder::Carrier::DATAGRAMS, ports.datagrams, part),
      changing(nullptr) {
  changing = changeWithSlots().eagerlyEvaluate(
      [](kj::Exception&& e) { KJ_LOG(ERROR, "this device is not advertised any more", e); });
}

Neighbourhood::~Neighbourhood() noexcept(false) = default;

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

void Neighbourhood::carryOut(Finder::Effects effects) {
  for (auto ear: {&streams, &datagrams}) {
    if (effects.advertise) ear->advertise();
    if (effects.follow) ear->follow();
  }
  for (auto& device: effects.moved) around.observer.placesChanged(device);
}

Neighbourhood::Ear::Ear(
    Neighbourhood& owner, Finder::Carrier carrier, kj::Maybe<uint16_t> port, Part part)
    : owner(owner),
      carrier(carrier),
      port(port) {
  if (part == Part::CALLS && port != nullptr) browsing = owner.around.link.browse(service(), *this);
}

Neighbourhood::Ear::~Ear() noexcept(false) { owner.around.link.withdraw(service()); }

LocalLink::Service Neighbourhood::Ear::service() const {
  return carrier == Finder::Carrier::STREAMS ? LocalLink::Service::LINK
                                             : LocalLink::Service::DATAGRAMS;
}

void Neighbourhood::Ear::advertise() {
  KJ_IF_MAYBE(at, port) {
    auto name = owner.finder.ownName();
    KJ_IF_MAYBE(own, name) {
      owner.around.link.advertise(service(), *own, *at);
    } else {
      owner.around.link.withdraw(service());
    }
  }
}

void Neighbourhood::Ear::follow() {
  auto wanted = owner.finder.wanted(carrier);
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

void Neighbourhood::Ear::heard(const std::string& name, std::vector<std::string> places) {
  owner.carryOut(owner.finder.heard(name, std::move(places), owner.unixS(), carrier));
}

void Neighbourhood::Ear::gone(const std::string& name) {
  owner.carryOut(owner.finder.gone(name, carrier));
}

}  // namespace hearth::transport
