#pragma once
// What a set of membership ops says about the circle: the outcome of resolution, a plain value.

#include "crypto/membership/records.h"

#include <set>

namespace hearth::crypto {

enum class MemberStatus : uint8_t { ACTIVE = 1, SUSPENDED = 2, REMOVED = 3, RETIRED = 4 };

struct Member {
  Role role = Role::MEMBER;
  MemberStatus status = MemberStatus::ACTIVE;
  SignedBundlePtr presented;
  std::set<DeviceId> rotatedFrom;  // ids under which the same device was known before; mostly none

  const Bundle& bundle() const { return presented->bundle; }
  bool isActive() const { return status == MemberStatus::ACTIVE; }
  bool isSuspended() const { return status == MemberStatus::SUSPENDED; }
};

struct RecoveryKey {
  DeviceId id;
  SignPublic ed;
  XWing::Public xw;
};

struct CurrentEpoch {
  EpochId id;
  uint64_t n = 0;
  Digest commit;
  bool stale = false;       // a device was given it that has no part any more: a new one is due
  bool incomplete = false;  // a device that has a part was not given it: a new one is due
};

struct PolicyInForce {
  OpHash id;
  uint64_t version = 0;
};

// A device as state_hash of §5.3 counts it.
struct StateRow {
  DeviceId id;
  Role role = Role::MEMBER;
  MemberStatus status = MemberStatus::ACTIVE;
  BundleHash bundle;
};
Digest stateHash(std::vector<StateRow> rows);

struct CircleState {
  std::map<DeviceId, Member> devices;           // every id that an op in force ever brought in
  size_t idsSinceReset = 0;                     // of them, since Genesis or the last RecoveryReset
  kj::Maybe<RecoveryKey> recovery;              // none before Genesis
  std::map<DeviceId, SignPublic> recoveryKeys;  // all that ever were
  kj::Maybe<CurrentEpoch> epoch;
  kj::Maybe<PolicyInForce> policy;
  OpSet revocations;  // the PluginRevoke ops in force
  uint8_t minSuite = 0;
  bool locked = false;  // SECURITY.md §5.2: new admins need the recovery key

  bool epochDue() const;
  size_t countActive() const;
  size_t countAdmins() const;  // active or suspended
  size_t countActiveAdmins() const;
  kj::Maybe<const Member&> find(const DeviceId& id) const;
  Digest hash() const;  // state_hash
};

// Whom an Epoch must be sealed to, and what (§5.5).
std::map<DeviceId, Sealed> epochRecipients(const CircleState& state);

}  // namespace hearth::crypto
