#pragma once
// Records that are sealed one behind another where they lie, and written at once.

#include <kj/array.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace hearth::transport {

class Batch final {
 public:
  size_t size() const { return used; }
  kj::ArrayPtr<const kj::byte> asBytes() const { return block.slice(0, used); }

  // Room at the end, to be filled; valid until the next add().
  kj::ArrayPtr<kj::byte> add(size_t bytes) {
    if (used + bytes > block.size()) grow(used + bytes);
    used += bytes;
    return block.slice(used - bytes, used);
  }

  // Empty again. A block that has become much too large goes.
  void clear() {
    if (block.size() > BLOCK_BYTES_KEPT && used < block.size() / 8) block = nullptr;
    used = 0;
  }

 private:
  static constexpr size_t BLOCK_BYTES_LEAST = 4 << 10;
  static constexpr size_t BLOCK_BYTES_KEPT = 16 << 10;  // whatever it was used for

  kj::Array<kj::byte> block;
  size_t used = 0;

  void grow(size_t least) {
    auto larger = kj::heapArray<kj::byte>(std::bit_ceil(std::max(least, BLOCK_BYTES_LEAST)));
    if (used > 0) memcpy(larger.begin(), block.begin(), used);
    block = kj::mv(larger);
  }
};

}  // namespace hearth::transport
