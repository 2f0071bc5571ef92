#pragma once
// A device as shown to people.

#include "crypto/membership/state.h"
#include "router/place/facts.h"

#include <string>

namespace hearth::devices {

struct DeviceView {
  DeviceId id;
  std::string name, deviceClass;
  crypto::Role role = crypto::Role::MEMBER;
  crypto::MemberStatus status = crypto::MemberStatus::ACTIVE;
  bool self = false, reachable = false;
  bool quarantined = false;  // an older copy of itself: it gets membership messages alone
  std::string address;
  // How the link to it goes: "tcp", "udp", "member" (through the device that `via` names) or "relay"
  // (at the address `via`). Empty: there is none.
  std::string path, via;
  uint64_t carriedBytes = 0;  // by this device, between that one and others; of itself: in all
  uint32_t carriedNow = 0;    // streams
  double rttMs = -1;
  kj::Maybe<router::DeviceFacts> facts;
};

}  // namespace hearth::devices
