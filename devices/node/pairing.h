#pragma once
// Carries the pairing machines over a stream: the new device's side, which waits while it shows its
// code, and the admin's side, which calls it.

#include "crypto/pairing/admin.h"
#include "crypto/pairing/joiner.h"
#include "devices/node/stored-lock.h"
#include "transport/link/carrier.h"

#include <kj/timer.h>

namespace hearth::devices {

constexpr kj::Duration PAIRING_WINDOW = 120 * kj::SECONDS;
// An admin that has not decided yet says so, and the new device waits on for as long as it does.
constexpr kj::Duration PAIRING_WAIT_EVERY = 5 * kj::SECONDS;
constexpr kj::Duration PAIRING_WAITED_FOR = 60 * kj::SECONDS;

// The new device: who shows what proves it, and looks at the pictures.
class JoiningPerson {
 public:
  // What the next attempt is proved by, shown to people. It outlives that attempt; a QR code is a
  // fresh one each time.
  virtual const crypto::PairingMeans& show() = 0;
  // Whether both screens show the same.
  virtual kj::Promise<bool> compare(const crypto::Sas& sas) = 0;
  // Somebody has guessed wrong.
  virtual void guessed() = 0;
  // The admin is willing; another one has to agree, however long that takes.
  virtual void waits() = 0;
};

// Answers admins on `receiver`, one at a time, until one has been proved right.
// Errors: PAIRING_LOCKED after three wrong guesses; PAIRING_CLOSED when the window is over. It stays open
// while an admin that is proved right has others to ask.
kj::Promise<Result<crypto::PairingJoiner::Joined>> waitForAdmin(kj::Timer& timer,
    kj::ConnectionReceiver& receiver, const crypto::DeviceKeys& keys, const crypto::Bundle& bundle,
    Entropy& entropy, crypto::EphemeralGuard& guard, JoiningPerson& person, StoredLock& lock);

struct Welcome {
  crypto::Buffer log;
  kj::Vector<crypto::PairHint> hints;  // where devices may be found
};

// The admin's side of what people and the circle decide.
class PairingHost {
 public:
  virtual kj::Promise<bool> compare(const crypto::Sas& sas) = 0;
  // Asked once the device has been proved to be the one meant; an error refuses it.
  virtual kj::Promise<Result<Welcome>> consider(
      const crypto::PairingAdmin::Candidate& candidate) = 0;
  // While it considers: whether that is another admin's to decide.
  virtual bool waitsForOthers() const = 0;
  // The pairing ended after the other side could test a guess, without proof.
  virtual kj::Promise<void> guessed() = 0;
};

// Brings in the device that waits at the other end of `stream`.
// Errors: DECRYPT_FAILED for a wrong code; those of PairingAdmin and of `host`.
kj::Promise<Result<crypto::Bundle>> pairAsAdmin(kj::Timer& timer, kj::Own<kj::AsyncIoStream> stream,
    crypto::PairingAdmin::Setup setup, Entropy& entropy, crypto::EphemeralGuard& guard,
    PairingHost& host);

}  // namespace hearth::devices
