#pragma once
// The secrets of a circle's epochs that one device has been given: found in the log, opened with the
// device's X-Wing key; each opens the one before it. A VAULT is given what its links need and no secret (SECURITY.md §3.5).

#include "crypto/membership/log.h"

namespace hearth::crypto {

// Puts the secret of the epoch before into `payload`, whose previous and commit are set, so that a
// new member can walk back through history.
void wrapPrevious(EpochPayload& payload, const CircleId& circle, const EpochSecret& secret,
    const EpochSecret& previous);

// What the Epoch op of that id says; null where the log has none.
const EpochPayload* epochPayload(const MembershipLog& log, const EpochId& epoch);

class EpochKeys final {
 public:
  // Opens what the log holds for this device and was not opened before, and what follows from it of
  // the epochs before.
  void learn(const MembershipLog& log, const DeviceKeys& own) { learn(log, own.id, own.xw); }
  // The same with the recovery key.
  void learn(const MembershipLog& log, const RecoveryKeys& own) { learn(log, own.id, own.xw); }

  // None when this device was not given that epoch's secret, or what it was given does not match
  // the epoch's commitment.
  kj::Maybe<const EpochSecret&> secret(const EpochId& epoch) const;

  // What this device was given as a VAULT in that epoch.
  kj::Maybe<const VaultPsk&> ownVaultPsk(const EpochId& epoch) const;

  // Whether this device was sealed something of the log's current epoch that does not open to what the
  // epoch's author has committed to: an alarm, and reason for another epoch (SECURITY.md §5.5).
  bool wasCheated(const MembershipLog& log) const;

  // Of how many epochs it has the secret.
  size_t secretsHeld() const { return secrets.size(); }

  // The PSK of a link between two devices in the log's current epoch; none where this one was given
  // nothing of it, and none between two VAULTs.
  kj::Maybe<LinkPsk> linkPsk(
      const MembershipLog& log, const DeviceId& self, const DeviceId& peer) const;

 private:
  size_t looked = 0;  // ops of the log that have been searched
  std::map<EpochId, EpochSecret> secrets;
  std::map<EpochId, VaultPsk> vaultPsks;  // this device's own
  std::set<EpochId> unopened;             // what was sealed to it and is not what it should be

  void learn(const MembershipLog& log, const DeviceId& own, const XWing::Secret& xw);
  void tryOpen(const MembershipLog& log, const OpRecord& carrier, const Seal& seal,
      const EpochId& epoch, const EpochPayload& payload, const XWing::Secret& own);
  void keep(const MembershipLog& log, EpochId epoch, EpochSecret secret);
};

// What a field of that op says to members (sealed-field.h).
// Errors: BAD_FORMAT, DECRYPT_FAILED; EPOCH_UNKNOWN when this device was not given that epoch's secret.
Result<Buffer> openForMembers(const Op& op, const EpochKeys& epochs, Bytes sealed);

}  // namespace hearth::crypto
