#pragma once
// Carries the pairing machines over a stream: the new device's side, which waits while it shows its
// code, and the admin's side, which calls it.

#include "crypto/pairing/admin.h"
#include "crypto/pairing/joiner.h"
#include "transport/link/carrier.h"

#include <kj/timer.h>

namespace hearth::devices {

constexpr kj::Duration PAIRING_WINDOW = 120 * kj::SECONDS;

// The new device: answers admins on `receiver`, one at a time, until one has proved the code.
// `onTry` is called with each wrong guess; false: pairing is locked now.
// Errors: PAIRING_LOCKED after three wrong tries; PAIRING_CLOSED when the window is over.
kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdmin(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::PairingJoiner::Setup& setup, Entropy& entropy,
    crypto::EphemeralGuard& guard, kj::Function<kj::Promise<bool>()> onTry);

// The admin: brings in the device that waits at the other end of `stream`. `consider` is asked with
// the candidate once the code has proved right, and gives the log to send with where devices may be
// found; an error refuses the candidate.
struct Welcome {
  crypto::Buffer log;
  kj::Vector<crypto::PairHint> hints;
};
using Consider = kj::Function<kj::Promise<Result<Welcome>>(const crypto::PairingAdmin::Candidate&)>;

// Errors: DECRYPT_FAILED for a wrong code; those of PairingAdmin and of `consider`.
kj::Promise<Result<crypto::Bundle>> pairAsAdmin(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingAdmin::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    Consider consider);

}  // namespace hearth::devices
