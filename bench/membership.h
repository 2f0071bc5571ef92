#pragma once
// How long a membership log takes to be resolved from nothing (SECURITY.md §5.4, "Cost").

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct MembershipOptions {
  uint32_t ops = 5'000;
};

// Admins write beside each other in rounds, without hearing each other, and meet after each round;
// some ops of a round are removals and new epochs.
// {"ops", "take_s": from envelopes, signatures included, "resolve_s": of the whole set at once,
//  "void"}
nlohmann::json measureMembership(const MembershipOptions& options);

}  // namespace hearth::bench
