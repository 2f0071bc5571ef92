#include "transport/link/byte-ring.h"

#include <kj/debug.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace hearth::transport {

namespace {
kj::byte* put(kj::byte* to, kj::ArrayPtr<const kj::byte> bytes) {
  if (bytes.size() > 0) memcpy(to, bytes.begin(), bytes.size());
  return to + bytes.size();
}
}  // namespace

void ByteRing::append(kj::ArrayPtr<const kj::byte> bytes) {
  if (bytes.size() == 0) return;
  if (count + bytes.size() > block.size()) grow(count + bytes.size());
  auto end = (begin + count) & (block.size() - 1);
  auto straight = std::min(bytes.size(), block.size() - end);
  put(block.begin() + end, bytes.slice(0, straight));
  put(block.begin(), bytes.slice(straight, bytes.size()));
  count += bytes.size();
  peak = std::max(peak, count);
}

ByteRing::View ByteRing::view(size_t at, size_t bytes) const {
  KJ_IREQUIRE(at + bytes <= count);
  if (bytes == 0) return {};
  auto from = (begin + at) & (block.size() - 1);
  auto straight = std::min(bytes, block.size() - from);
  return {block.slice(from, from + straight), block.slice(0, bytes - straight)};
}

size_t ByteRing::take(kj::ArrayPtr<kj::byte> out) {
  auto bytes = view(0, std::min(out.size(), count));
  put(put(out.begin(), bytes.first), bytes.second);
  drop(bytes.size());
  return bytes.size();
}

void ByteRing::drop(size_t bytes) {
  KJ_IREQUIRE(bytes <= count);
  count -= bytes;
  if (count > 0) {
    begin = (begin + bytes) & (block.size() - 1);
    return;
  }
  begin = 0;
  if (block.size() > BLOCK_BYTES_KEPT && peak < block.size() / 4) block = nullptr;
  peak = 0;
}

void ByteRing::grow(size_t least) {
  auto larger = kj::heapArray<kj::byte>(std::bit_ceil(std::max(least, BLOCK_BYTES_LEAST)));
  auto bytes = view(0, count);
  put(put(larger.begin(), bytes.first), bytes.second);
  block = kj::mv(larger);
  begin = 0;
}

}  // namespace hearth::transport
