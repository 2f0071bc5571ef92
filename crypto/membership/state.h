#pragma once
// What a set of membership ops says about the circle: the outcome of resolution, a plain value.

#include "crypto/membership/op.h"
#include "crypto/membership/payloads.h"

#include <map>
#include <set>

namespace hearth::crypto {

enum class MemberStatus : uint8_t { ACTIVE = 1, SUSPENDED = 2, REMOVED = 3, RETIRED = 4 };

struct Member {
  Role role = Role::MEMBER;
  MemberStatus status = MemberStatus::ACTIVE;
  Bundle bundle;
  std::vector<kj::byte> bundleEnvelope;

  bool isActive() const { return status == MemberStatus::ACTIVE; }
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

struct CircleState {
  std::map<DeviceId, Member> devices;  // every id that an op in force ever brought in
  kj::Maybe<RecoveryKey> recovery;     // none before Genesis
  kj::Maybe<CurrentEpoch> epoch;
  bool locked = false;      // SECURITY.md §5.2: new admins need the recovery key
  std::set<OpHash> voided;  // ops that do not apply

  bool epochDue() const;
  size_t countActive() const;
  size_t countAdmins() const;  // active or suspended
  kj::Maybe<const Member&> find(const DeviceId& id) const;
};

}  // namespace hearth::crypto
