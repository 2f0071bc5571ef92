#pragma once
// Somebody on the way who changes what passes: the owner of a hotspot, a relay. It holds no key: what
// it does must be noticed by whoever receives it.

#include "simulator/world/chance.h"

#include <kj/array.h>

#include <vector>

namespace hearth::sim {

class Tamperer final {
 public:
  static constexpr size_t GARBAGE_BYTES_MAX = 64;

  explicit Tamperer(Chance chance): chance(chance) {}

  struct Passed {
    std::vector<kj::Array<kj::byte>> pieces;  // that go on, in order; none of them is empty
    bool changed = false;
  };
  // What goes on of a stream's segment, or of a datagram. So many in a thousand are changed: bits are
  // flipped, the end is cut off, the piece before comes again, the next one overtakes it, garbage
  // stands in the middle. Requires bytes.
  Passed pass(kj::Array<kj::byte> bytes, uint32_t permille);

 private:
  Chance chance;
  kj::Array<kj::byte> before;  // as it was passed on
  kj::Array<kj::byte> held;    // until the next one has overtaken it
};

}  // namespace hearth::sim
