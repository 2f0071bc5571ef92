#pragma once
// Everything that happened, folded into one number (FNV-1a, 64 bits). Equal seeds give equal
// fingerprints; an unequal one says that something outside the seed has a say.

#include <kj/array.h>

#include <cstdint>

namespace hearth::sim {

class Fingerprint {
 public:
  Fingerprint& add(uint64_t word) {
    for (int shift = 0; shift < 64; shift += 8) fold(static_cast<kj::byte>(word >> shift));
    return *this;
  }
  Fingerprint& add(kj::ArrayPtr<const kj::byte> bytes) {
    add(bytes.size());
    for (auto byte: bytes) fold(byte);
    return *this;
  }
  uint64_t value() const { return folded; }

 private:
  uint64_t folded = 14695981039346656037ull;

  void fold(kj::byte byte) { folded = (folded ^ byte) * 1099511628211ull; }
};

}  // namespace hearth::sim
