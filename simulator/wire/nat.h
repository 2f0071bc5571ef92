#pragma once
// The NAT between a network and the others, as datagrams see it.
//
//   10.1.0.3:7427 ──▶ 203.0.113.2:40112 ──▶ 10.2.0.5:7427      what goes out makes a mapping
//   10.1.0.3:7427 ◀── 203.0.113.2:40112 ◀── 10.2.0.5:7427      only who was written to may answer
//
// Filtering is address- and port-dependent (RFC 4787 §5). The mapping is endpoint-independent: one
// port outside for each inside, whoever it writes to, so that a third party can tell two devices
// where to write and both get through (hole punching). A symmetric NAT takes another port for each
// destination, at random: what a third party has seen is of no use to anybody else. A mapping is
// forgotten when nothing has gone out for a while. Hairpins (from inside to the own outside) are
// dropped, as many do.

#include "simulator/wire/terrain.h"

namespace hearth::sim {

class Nat final {
 public:
  static constexpr size_t FLOWS_MAX = 1'024;  // then the one that was idle the longest is forgotten
  static constexpr uint16_t PORT_LEAST = 1'024;

  Nat(Chance chance, kj::Duration idle, bool symmetric)
      : chance(chance),
        idle(idle),
        symmetric(symmetric) {}

  // A datagram goes out: the port that it seems to come from.
  uint16_t out(Endpoint inside, Endpoint to, kj::TimePoint now);

  // A datagram comes in at a port: whom it is for; none: nobody has written there.
  kj::Maybe<Endpoint> in(uint16_t port, Endpoint from, kj::TimePoint now);

  void forget() { flows.clear(); }

 private:
  struct Flow {
    uint16_t port;
    kj::TimePoint used;
  };
  using Ends = std::pair<Endpoint, Endpoint>;  // inside, and whom it writes to

  Chance chance;
  kj::Duration idle;
  bool symmetric;
  std::map<Ends, Flow> flows;

  void forgetIdle(kj::TimePoint now);
  void forgetOldest();
  kj::Maybe<uint16_t> portOf(const Ends& ends) const;
  uint16_t freePort();
};

// Those of a world, which forget with its terrain.
class Nats final {
 public:
  Nats(const Terrain& terrain, uint64_t seed): terrain(terrain), seed(seed) {}

  // As whom a datagram is seen at the end of its way.
  Endpoint outside(Endpoint inside, Endpoint to, const Route& way, kj::TimePoint now);
  // Whom a datagram is for; none: a NAT does not let it in.
  kj::Maybe<Endpoint> inside(Endpoint to, Endpoint from, kj::TimePoint now);

 private:
  struct Kept {
    Nat nat;
    uint32_t binding;
  };
  const Terrain& terrain;
  uint64_t seed;
  std::map<NetworkIndex, Kept> kept;

  Nat& of(NetworkIndex network);
};

}  // namespace hearth::sim
