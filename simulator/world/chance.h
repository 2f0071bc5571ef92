#pragma once
// Luck in a world, the same on every machine: SplitMix64 (Steele, Lea, Flood 2014), unlike the
// distributions of <random>. Every device and subsystem has a stream of its own, so that what
// happens to one does not shift the luck of the others.

#include "core/entropy/entropy.h"

#include <kj/string.h>
#include <kj/time.h>

#include <cstdint>

namespace hearth::sim {

class Chance {
 public:
  explicit Chance(uint64_t seed): state(seed) {}

  // A stream that depends on this one's seed and on `name`, not on what was drawn before.
  static Chance of(uint64_t seed, kj::StringPtr name, uint64_t number = 0);

  uint64_t next();
  uint64_t below(uint64_t limit) { return limit == 0 ? 0 : next() % limit; }
  bool permille(uint32_t chance) { return next() % 1'000 < chance; }
  kj::Duration between(kj::Duration low, kj::Duration high);
  // Around `middle`, at most `spread` (0..1) of it off, in thousandths.
  kj::Duration around(kj::Duration middle, double spread);

 private:
  uint64_t state;
};

// What a device of a world takes for random.
class SeededEntropy final: public Entropy {
 public:
  explicit SeededEntropy(Chance chance): chance(chance) {}
  void fill(kj::ArrayPtr<kj::byte> out) override;

 private:
  Chance chance;
};

}  // namespace hearth::sim
