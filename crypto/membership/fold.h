#pragma once
// Fold (SECURITY.md §5.4): what a set of ops that apply says together. Its facts are gathered op by
// op, in topological order; where ops concur, the outcome does not depend on which came first.

#include "crypto/membership/state.h"

#include <set>

namespace hearth::crypto {

class Fold final {
 public:
  // `op` is behind all that were kept before it, or beside them. Standing removals must be kept,
  // whatever else is.
  void keep(const OpTable& table, OpIndex op, const Standing& standing);

  // `scope`: all ops that are seen, void ones too; a fork suspends its author by two of its ops there.
  // `flooders`: who is suspended whatever else is said (floods.h).
  CircleState state(const OpTable& table, const OpSet& scope, const Standing& standing,
      const std::set<DeviceId>& flooders = {}) const;

 private:
  struct Facts {
    OpSet made;                      // ops that brought the device in
    OpSet roles;                     // the causally newest ops that set its role
    std::set<DeviceId> rotatedFrom;  // one, unless two devices have named the same new keys
    SignedBundlePtr bundle;
    bool removed = false;
    bool retired = false;
    OpSet suspensions;
    OpSet reinstatements;
  };
  struct Ranked {  // an Epoch, the best choice first
    uint64_t n;
    OpHash hash;
    OpIndex op;

    bool isBefore(const Ranked& other) const {
      return n != other.n ? n > other.n : hash < other.hash;
    }
  };

  std::map<DeviceId, Facts> facts;
  OpSet founders;  // the causally newest Genesis or RecoveryReset
  OpSet resets;
  std::map<DeviceId, SignPublic> recoveryKeys;
  OpSet policies;  // the causally newest
  OpSet granting;  // ops with grants
  OpSet locking;   // removals of ADMINs by one signature that nothing has unlocked
  std::vector<Ranked> epochs;
  OpSet revocations;
  uint8_t minSuite = 0;

  void bringIn(const OpRecord& record, OpIndex op);
  static void present(Facts& device, const SignedBundlePtr& bundle);
  void found(const OpTable& table, OpIndex op, const SignPublic& ed, const XWing::Public& xw);
  void unmake(const OpRecord& record, OpIndex op, const Standing& standing);
  void setRole(const OpTable& table, OpIndex op, const DeviceId& target);
  void rank(const OpRecord& record, OpIndex op, uint64_t n);
  void lock(const OpTable& table, OpIndex op, const Standing& standing);

  OpSet roleOps(const OpTable& table, const Facts& device) const;
  Role roleOf(const OpTable& table, const Facts& device) const;
  MemberStatus statusOf(const OpTable& table, const DeviceId& id, const Facts& device,
      const OpSet& scope, const Standing& standing) const;
  bool isSuspended(const OpTable& table, const DeviceId& id, const Facts& device,
      const OpSet& scope, const Standing& standing) const;
  bool isResetAway(const OpTable& table, const Facts& device) const;
  size_t countIdsSinceReset(const OpTable& table) const;
  kj::Maybe<RecoveryKey> recovery(const OpTable& table) const;
  kj::Maybe<PolicyInForce> policy(const OpTable& table) const;
  kj::Maybe<CurrentEpoch> currentEpoch(const OpTable& table, const CircleState& state) const;
  std::vector<const Seal*> holdersOf(const OpTable& table, OpIndex epoch) const;
  bool isStale(const OpTable& table, OpIndex epoch, const CircleState& state) const;
  bool isIncomplete(const OpTable& table, OpIndex epoch, const CircleState& state) const;
};

}  // namespace hearth::crypto
