#pragma once
// A device that takes other keys goes on as the same device under another id. No crash leaves it
// without keys, or with keys that its circle does not know:
//
//   keys/next is on disk ──▶ the op that names it is on disk ──▶ keys/next becomes keys/identity
//      (crash: dropped)            (crash: adopted at start)

#include "devices/node/circle-keeper.h"

namespace hearth::devices {

// The identity that counts after whatever a crash left half done: `current`, or keys/next when an op
// in `stored` has put it in its place. Call it before anything is made of `current`.
// Errors: those of Identity::loadNext.
Result<Identity> settleIdentity(
    const kj::Directory& home, Identity current, const StoredCircle& stored);

// Whether the device should take other keys (SECURITY.md §5.2): its key was once the only admin's, and
// could for ever forge a rival history from that time. There is a second admin now.
bool hasOutgrownItsKeys(const crypto::MembershipLog& log, const DeviceId& self);

}  // namespace hearth::devices
