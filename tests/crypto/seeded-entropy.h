#pragma once
// Entropy for tests: the same seed always gives the same bytes, and no two draws are equal.

#include "core/entropy/entropy.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

class SeededEntropy final: public Entropy {
 public:
  explicit SeededEntropy(uint64_t seed): seed(seed) {}

  void fill(kj::ArrayPtr<kj::byte> out) override {
    Little encoded(seed);
    kdf(encoded.asBytes(), "hearth/test-entropy/v1", {Little(draws++).asBytes()}, out);
  }

 private:
  uint64_t seed;
  uint64_t draws = 0;
};

}  // namespace hearth::crypto
