#include "simulator/wire/tamperer.h"

#include <kj/debug.h>

namespace hearth::sim {

namespace {

enum class Trick : uint8_t { FLIP, CUT, REPLAY, SWAP, GARBAGE };
constexpr uint64_t TRICKS = 5;

kj::Array<kj::byte> flipped(kj::Array<kj::byte> bytes, Chance& luck) {
  constexpr uint64_t BITS_MAX = 8;
  for (auto left = 1 + luck.below(BITS_MAX); left > 0; --left)
    bytes[luck.below(bytes.size())] ^= static_cast<kj::byte>(1 << luck.below(8));
  return bytes;
}

kj::Array<kj::byte> cutShort(kj::ArrayPtr<const kj::byte> bytes, Chance& luck) {
  return kj::heapArray(bytes.slice(0, 1 + luck.below(bytes.size() - 1)));
}

kj::Array<kj::byte> withGarbage(kj::ArrayPtr<const kj::byte> bytes, Chance& luck) {
  auto garbage = kj::heapArray<kj::byte>(1 + luck.below(Tamperer::GARBAGE_BYTES_MAX));
  SeededEntropy(Chance(luck.next())).fill(garbage);
  auto at = luck.below(bytes.size() + 1);
  auto whole = kj::heapArrayBuilder<kj::byte>(bytes.size() + garbage.size());
  whole.addAll(bytes.slice(0, at));
  whole.addAll(garbage);
  whole.addAll(bytes.slice(at, bytes.size()));
  return whole.finish();
}

}  // namespace

// One draw for each piece, whatever comes of it.
Tamperer::Passed Tamperer::pass(kj::Array<kj::byte> bytes, uint32_t permille) {
  KJ_REQUIRE(bytes.size() > 0);
  Chance luck(chance.next());
  Passed passed{.changed = luck.permille(permille)};
  auto& pieces = passed.pieces;
  auto overtaken = kj::mv(held);
  auto earlier = kj::mv(before);
  if (permille > 0) before = kj::heapArray<kj::byte>(bytes);
  if (!passed.changed) {
    pieces.push_back(kj::mv(bytes));
  } else {
    switch (static_cast<Trick>(luck.below(TRICKS))) {
      case Trick::FLIP:
        pieces.push_back(flipped(kj::mv(bytes), luck));
        break;
      case Trick::CUT:
        pieces.push_back(cutShort(bytes, luck));
        break;
      case Trick::REPLAY:
        pieces.push_back(kj::mv(bytes));
        pieces.push_back(earlier.size() > 0 ? kj::mv(earlier) : kj::heapArray<kj::byte>(before));
        break;
      case Trick::SWAP:
        held = kj::mv(bytes);
        break;
      case Trick::GARBAGE:
        pieces.push_back(withGarbage(bytes, luck));
        break;
    }
  }
  if (overtaken.size() > 0) pieces.push_back(kj::mv(overtaken));
  return passed;
}

}  // namespace hearth::sim
