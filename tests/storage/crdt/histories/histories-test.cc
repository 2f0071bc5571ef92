// Documents proven right by random histories: 2 to 8 devices that change one document at the same time, and hear
// of each other late, twice, in any order, or not until the end. scripts/attack runs 10,000.

#include "tests/storage/crdt/histories/story.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>

namespace hearth::storage {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr uint64_t USUAL_SEEDS = 40;
#else
constexpr uint64_t USUAL_SEEDS = 300;
#endif

// The same failure in few words.
std::string shortest(const Story& story) {
  auto less = shrunk(story, [](const Story& other) { return play(other).has_value(); });
  std::string told;
  auto why = play(less, &told);
  return ", " + std::to_string(less.steps.size()) + " of its " +
      std::to_string(story.steps.size()) + " steps, " + std::to_string(less.devices) +
      " devices:\n" + told + why.value_or("it holds when it is told");
}

TEST_CASE("random concurrent histories of a document agree with a slow account on all devices") {
  Seeds seeds(USUAL_SEEDS);
  size_t steps = 0, devices = 0;
  for (auto seed = seeds.first; seed <= seeds.last; ++seed) {
    auto story = storyOf(seed);
    steps += story.steps.size();
    devices += story.devices;
    bool holds = !play(story);
    INFO("seed " << seed << (holds ? std::string() : shortest(story)));
    REQUIRE(holds);
  }
  if (seeds.count() > USUAL_SEEDS) std::fprintf(stderr, "%zu devices, %zu steps\n", devices, steps);
}

}  // namespace
}  // namespace hearth::storage
