#include "storage/blob/padding.h"

#include <kj/debug.h>

#include <bit>

namespace hearth::storage {

uint64_t padded(uint64_t bytes) {
  KJ_REQUIRE(bytes <= uint64_t{1} << 62, bytes);
  if (bytes < 4) return bytes;
  auto exponent = std::bit_width(bytes) - 1;
  auto kept = std::bit_width(static_cast<unsigned>(exponent));
  if (kept >= exponent) return bytes;
  auto step = uint64_t{1} << (exponent - kept);
  return (bytes + step - 1) / step * step;
}

}  // namespace hearth::storage
