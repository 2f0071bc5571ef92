#pragma once
// Which seeds a random test runs: a few in every run, and as many as scripts/attack asks for
// (HEARTH_SEEDS=1..10000). And luck that is the same on every machine.

#include <kj/debug.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace hearth {

struct Seeds {
  uint64_t first = 1;
  uint64_t last;

  explicit Seeds(uint64_t usual): last(usual) {
    auto* asked = std::getenv("HEARTH_SEEDS");
    if (asked == nullptr) return;
    std::string text(asked);
    auto dots = text.find("..");
    KJ_REQUIRE(dots != std::string::npos, "HEARTH_SEEDS is FIRST..LAST", asked);
    first = std::stoull(text.substr(0, dots));
    last = std::stoull(text.substr(dots + 2));
  }
  uint64_t count() const { return last - first + 1; }
};

// splitmix64.
class Luck final {
 public:
  explicit Luck(uint64_t seed): state(seed) {}

  uint64_t next() {
    auto z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }
  bool chance(unsigned percent) { return next() % 100 < percent; }

 private:
  uint64_t state;
};

}  // namespace hearth
