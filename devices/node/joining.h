#pragma once
// How a device without a circle comes into one: it waits to be paired, stores the circle's log, and
// remembers where the circle's devices may be found.

#include "devices/node/identity.h"
#include "devices/node/pairing.h"

namespace hearth::devices {

// The device is a member when this resolves. The receiver listens only until then.
// Errors: PAIRING_LOCKED, PAIRING_CLOSED; those of StoredCircle::join.
kj::Promise<Result<void>> joinCircle(kj::Timer& timer, kj::ConnectionReceiver& receiver,
    const Identity& identity, storage::Store& store, Entropy& entropy, JoiningPerson& person);

}  // namespace hearth::devices
