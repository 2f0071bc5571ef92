#pragma once
// A policy as people say it (`hearth policy`): a level of assurance for each label, and how long a device
// may go on without having heard of an admin. What has no name here stays as it is.

#include "crypto/membership/policy.h"

#include <string>
#include <vector>

namespace hearth::devices {

// "health" and "A2", "stale-days" and "7".
struct Setting {
  std::string key, value;
};

// The least suite that the circle speaks. No part of a policy, and set alone: no change takes it back.
constexpr const char* MIN_SUITE = "min-suite";

std::vector<Setting> settingsOf(const crypto::Policy& policy);

// The policy with these set. Errors: BAD_FORMAT, with what there is to say.
Result<crypto::Policy> withSettings(crypto::Policy policy, const std::vector<Setting>& wanted);

// For who is to agree: "health from A2 to A3, stale-days from 7 to 14". It names all that differs.
std::string changesOf(const crypto::Policy& before, const crypto::Policy& after);

}  // namespace hearth::devices
