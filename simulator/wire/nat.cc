#include "simulator/wire/nat.h"

#include <algorithm>

namespace hearth::sim {

uint16_t Nat::out(Endpoint inside, Endpoint to, kj::TimePoint now) {
  forgetIdle(now);
  auto fresh = freePort();
  Ends ends{inside, to};
  auto port = portOf(ends).orDefault(fresh);
  if (flows.size() >= FLOWS_MAX && !flows.contains(ends)) forgetOldest();
  flows.insert_or_assign(ends, Flow{port, now});
  return port;
}

kj::Maybe<Endpoint> Nat::in(uint16_t port, Endpoint from, kj::TimePoint now) {
  forgetIdle(now);
  for (auto& [ends, flow]: flows) {
    if (flow.port == port && ends.second == from) return ends.first;
  }
  return nullptr;
}

void Nat::forgetIdle(kj::TimePoint now) {
  std::erase_if(flows, [&](auto& flow) { return now - flow.second.used >= idle; });
}

void Nat::forgetOldest() {
  auto used = [](auto& flow) { return flow.second.used; };
  flows.erase(std::ranges::min_element(flows, {}, used));
}

kj::Maybe<uint16_t> Nat::portOf(const Ends& ends) const {
  auto found = symmetric ? flows.find(ends) : flows.lower_bound({ends.first, Endpoint()});
  if (found == flows.end() || found->first.first != ends.first) return nullptr;
  return found->second.port;
}

// Drawn for every datagram, whether it needs one or not.
uint16_t Nat::freePort() {
  Chance luck(chance.next());
  for (;;) {
    auto port = static_cast<uint16_t>(PORT_LEAST + luck.below(65'536 - PORT_LEAST));
    if (std::ranges::none_of(flows, [&](auto& flow) { return flow.second.port == port; }))
      return port;
  }
}

Endpoint Nats::outside(Endpoint inside, Endpoint to, const Route& way, kj::TimePoint now) {
  auto network = way.fromNetwork;
  if (network == way.toNetwork || terrain.network(network).letsIn) return inside;
  return {Terrain::natOf(network), of(network).out(inside, to, now)};
}

kj::Maybe<Endpoint> Nats::inside(Endpoint to, Endpoint from, kj::TimePoint now) {
  KJ_IF_MAYBE(network, terrain.natAt(to.ip)) return of(*network).in(to.port, from, now);
  return to;
}

Nat& Nats::of(NetworkIndex network) {
  auto binding = terrain.binding(network);
  auto found = kept.find(network);
  if (found == kept.end()) {
    auto& kind = terrain.network(network);
    Nat nat(Chance::of(seed, "nat", network), kind.natIdle, kind.symmetric);
    found = kept.emplace(network, Kept{kj::mv(nat), binding}).first;
  }
  if (found->second.binding != binding) {
    found->second.nat.forget();
    found->second.binding = binding;
  }
  return found->second.nat;
}

}  // namespace hearth::sim
