#pragma once
// Runs a handshake over a carrier that has just been connected, on either side.

#include "transport/link/call.h"
#include "transport/link/carrier.h"
#include "transport/link/gate.h"

namespace hearth::transport {

struct Handshake {
  crypto::LinkSession session;
  bool stranger = false;  // the peer is not in the log; it may push membership messages alone

  // Nothing but membership messages passes on such a link.
  bool membershipOnly() const {
    return stranger || session.protocol == crypto::Protocol::IKHFS ||
        session.status != crypto::LinkStatus::OK;
  }
};

// Calls `peer`. With `resync` IKhfs is spoken, which needs no epoch. `index` names the new keys.
// Errors: EPOCH_UNKNOWN when the peer does not know our epoch, or we have none (then resync);
// UNKNOWN_PEER; BUSY; those of LinkInitiator. Throws DISCONNECTED, OVERLOADED (too slow).
kj::Promise<Result<Handshake>> initiate(
    HandshakeTools tools, Carrier& carrier, DeviceId peer, uint32_t index, bool resync);

// Answers whoever calls and passes the gate, where it has a place that outlives the promise. Errors: those
// of LinkResponder and judge(), EPOCH_UNKNOWN, UNKNOWN_PEER, BUSY, BAD_MAC; the caller was told no more than
// an alert.
kj::Promise<Result<Handshake>> respond(
    HandshakeTools tools, Gate& gate, Gate::Place& place, Carrier& carrier, uint32_t index);

}  // namespace hearth::transport
