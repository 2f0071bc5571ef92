#pragma once
// How a circle is begun anew with its recovery key (SECURITY.md §5.6): on a device that has nothing, by
// the log that any device of the circle gives to whoever proves that it holds the key; or on one that
// has the log itself.

#include "crypto/pairing/recovery-caller.h"
#include "devices/node/circle-keeper.h"

#include <kj/async-io.h>

namespace hearth::devices {

// What the owner has typed, and what takes its place.
struct RecoveryChange {
  const crypto::RecoveryKeys& old;
  const crypto::RecoveryKeys& next;
};

// The ops that begin a circle anew with `admin` as its only device. They are added to `log`.
// Errors: NOT_AUTHORISED when the key is not the circle's any more, or never was; BAD_FORMAT.
Result<std::vector<crypto::SealedOp>> beginAnew(crypto::MembershipLog& log,
    const RecoveryChange& change, const Identity& admin, int64_t wallMs, Entropy& entropy);

// What is there of a circle: its log as a device has given it.
// Errors: those of decodeLog and of the log; BAD_FORMAT when it does not begin with a Genesis.
Result<kj::Own<crypto::MembershipLog>> readCircle(crypto::Bytes messages);

// Calls the device at the other end of `stream` for the circle's log, begins it anew with this device,
// stores it, and tells the device there. Resolves when this device is the circle's admin; false: the
// other device was not told.
// Errors: those of crypto::RecoveryCaller, readCircle and beginAnew; nothing has happened then.
kj::Promise<Result<bool>> recoverFrom(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    const RecoveryChange& change, const Identity& identity, storage::Store& store,
    const kj::Clock& clock, Entropy& entropy);

// The same with the log that this home holds: it goes on under keys that were never in the circle.
// Errors: those of beginAnew.
kj::Promise<Result<void>> recoverHere(const kj::Directory& home, StoredCircle stored,
    const RecoveryChange& change, const Identity& identity, storage::Store& store,
    const kj::Clock& clock, Entropy& entropy);

}  // namespace hearth::devices
