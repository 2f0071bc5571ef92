#pragma once
// What this device says of itself in the circle's log, and whether that is still so: a disk may be moved to
// another machine (SECURITY.md §6.5).

#include "devices/node/circle-keeper.h"

namespace hearth::devices {

// As the log has it; before it does, as the identity was made.
crypto::Bundle ownBundle(const crypto::CircleState& state, const Identity& identity);

// A newer one that says whether the processor has AES instructions, where the log says otherwise: says so.
// Resolves when that is on disk, and at once where nothing is to be said. Await it before links are opened: a
// peer may send bulk records to whoever says AES. Throws where AES is gone and the disk does not take the news.
kj::Promise<void> sayWhetherAes(CircleKeeper& keeper, const Identity& identity, bool hasAes);

}  // namespace hearth::devices
