#pragma once
// A random history of a document on several devices, as a list of steps. Each step draws its details from luck of
// its own, so that a step that is left out does not change what the others are about.

#include "tests/crypto/seeds.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hearth::storage {

struct Step {
  enum class What : uint8_t {
    BEGIN,       // `who` makes one of everything, and all have it
    CHANGE,      // `who` commits a transaction
    TYPE,        // `who` types a word, forwards or backwards
    DELIVER,     // something that was said reaches `who`, perhaps not for the last time
    EXCHANGE,    // `who` takes all that `other` has
    CUT,         // the network falls apart into two
    HEAL,        // and is one again
    RESTART,     // `who` begins anew with what it has saved
    TAKE_BACK,   // `who` takes its newest change back
    MAKE_AGAIN,  // and makes it again
    NOTE,        // `who` remembers what it sees, for a journey back
    OPPOSE,      // `who` tries what a change beside those of `other` leaves when it is taken back
  };
  What what;
  size_t who, other;
  uint64_t luck;
};

struct Story {
  static constexpr size_t DEVICES_MAX = 8;

  size_t devices;
  std::vector<Step> steps;
};

Story storyOf(uint64_t seed);

// What does not hold; none when everything does. `told`: gets what happens, a line for each step.
std::optional<std::string> play(const Story& story, std::string* told = nullptr);

// A story of fewer steps that still fails.
Story shrunk(Story story, const std::function<bool(const Story&)>& fails);

}  // namespace hearth::storage
