#pragma once
// The state of a circle as the slow account of resolution (slow-resolve.h) puts it, and what it asks of
// one.

#include "crypto/membership/log.h"

#include <map>
#include <optional>
#include <set>

namespace hearth::crypto::slow {

using Ops = std::set<size_t>;  // by their places in the order in which they were given

struct Device {
  Role role;
  MemberStatus status;
  uint32_t version;  // of its bundle
};

struct State {
  std::map<DeviceId, Device> devices;
  std::optional<DeviceId> recovery;
  std::set<DeviceId> recoveryKeysEver;
  std::optional<size_t> policy;
  std::set<PluginRevokePayload> revoked;
  std::optional<size_t> epoch;
  bool stale = true;
  uint8_t minSuite = 0;
  bool locked = false;
};

bool isAdmin(const State& state, const DeviceId& id);
bool isActiveAdmin(const State& state, const DeviceId& id);
bool isActive(const State& state, const DeviceId& id);
bool isSuspended(const State& state, const DeviceId& id);
bool isRecovery(const State& state, const DeviceId& id);

// "RECOVERY and all active ADMIN, MEMBER (what = 1) and VAULT (what = 2)"
std::map<DeviceId, Sealed> recipientsIn(const State& state);

// The ops that are in both.
Ops both(const Ops& a, const Ops& b);

}  // namespace hearth::crypto::slow
