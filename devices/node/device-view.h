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
  std::string address;
  double rttMs = -1;
  kj::Maybe<router::DeviceFacts> facts;
};

}  // namespace hearth::devices
