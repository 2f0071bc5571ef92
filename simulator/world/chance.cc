#include "simulator/world/chance.h"

#include "simulator/world/fingerprint.h"

#include <cstring>

namespace hearth::sim {

Chance Chance::of(uint64_t seed, kj::StringPtr name, uint64_t number) {
  Fingerprint mixed;
  mixed.add(seed).add(name.asBytes()).add(number);
  return Chance(mixed.value());
}

uint64_t Chance::next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

kj::Duration Chance::between(kj::Duration low, kj::Duration high) {
  auto span = high > low ? static_cast<uint64_t>((high - low) / kj::NANOSECONDS) : 0;
  return low + static_cast<int64_t>(next() % (span + 1)) * kj::NANOSECONDS;
}

kj::Duration Chance::around(kj::Duration middle, double spread) {
  auto off = static_cast<int64_t>(spread * 1'000);
  return between(middle * (1'000 - off) / 1'000, middle * (1'000 + off) / 1'000);
}

void SeededEntropy::fill(kj::ArrayPtr<kj::byte> out) {
  for (size_t at = 0; at < out.size(); at += sizeof(uint64_t)) {
    auto word = chance.next();
    memcpy(out.begin() + at, &word, kj::min(sizeof(word), out.size() - at));
  }
}

}  // namespace hearth::sim
