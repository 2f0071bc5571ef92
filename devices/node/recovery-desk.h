#pragma once
// Where a device of a circle answers whoever holds the circle's recovery key (SECURITY.md §5.6): it
// gives the log away, and takes the ops that begin the circle anew. recovering.h is the other side.

#include "crypto/handshake/ephemeral-guard.h"
#include "crypto/membership/log.h"
#include "crypto/pairing/recovery-host.h"
#include "devices/node/identity.h"
#include "transport/link/carrier.h"

namespace hearth::devices {

class RecoveryDesk final {
 public:
  // Who keeps the log.
  class Ledger {
   public:
    // Errors: those of the log.
    virtual Result<void> take(crypto::Bytes envelope) = 0;
    // Whether all that was taken is on disk now. What is not goes there later.
    virtual kj::Promise<bool> kept() = 0;
    // Ops were taken: others are to know.
    virtual void grown() = 0;
  };

  // All outlive the desk.
  RecoveryDesk(
      const crypto::MembershipLog& log, const Identity& identity, Entropy& entropy, Ledger& ledger)
      : log(log),
        identity(identity),
        entropy(entropy),
        ledger(ledger) {}

  // The whole conversation, from the caller's PAIR_HELLO on. Resolves when the carrier is of no more use.
  kj::Promise<void> answer(
      transport::Carrier& carrier, crypto::Buffer hello, crypto::EphemeralGuard& guard);

 private:
  const crypto::MembershipLog& log;
  const Identity& identity;
  Entropy& entropy;
  Ledger& ledger;

  kj::Promise<void> takeOps(
      crypto::Bytes messages, transport::Carrier& carrier, crypto::RecoveryHost& machine);
  bool takeAll(crypto::Bytes messages);
};

}  // namespace hearth::devices
