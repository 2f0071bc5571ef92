#pragma once
// Replays files of published and of own vectors. Each check takes a parsed file, prints a line to
// stderr for each vector that fails, and counts. A vector of a kind that is not known is skipped.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace hearth::vectors {

struct Tally {
  uint32_t passed = 0;
  uint32_t failed = 0;
  uint32_t skipped = 0;

  bool operator==(const Tally&) const = default;
};

// cacophony.json, hybrid.json: {"vectors": [...]}.
Tally checkNoise(const nlohmann::json& file);

// known-answers.json: [{"kind", "in", "out"}]. An answer passes when every field of "out" is equal.
Tally checkAnswers(const nlohmann::json& file);

// A file of project Wycheproof: {"testGroups": [{"type", "tests"}]}.
Tally checkWycheproof(const nlohmann::json& file);

// histories.json: abstract membership logs and what they mean. A history passes when it means that
// in every order of delivery.
Tally checkMembership(const nlohmann::json& file);

}  // namespace hearth::vectors
