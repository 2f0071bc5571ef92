#include "transport/datagram/offset-ring.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>

namespace hearth::transport {

namespace {

// Calls `copy(place in the ring, bytes from the start, count)` for the one or two pieces.
template <typename Copy>
void inPieces(size_t room, uint64_t offset, size_t size, Copy copy) {
  auto place = static_cast<size_t>(offset & (room - 1));
  auto first = std::min(size, room - place);
  copy(place, size_t{0}, first);
  if (first < size) copy(size_t{0}, first, size - first);
}

}  // namespace

void OffsetRing::put(uint64_t offset, kj::ArrayPtr<const kj::byte> bytes) {
  KJ_IREQUIRE(offset >= lowest);
  if (bytes.size() == 0) return;
  auto end = offset + bytes.size();
  if (end - lowest > room.size()) growTo(end - lowest);
  inPieces(room.size(), offset, bytes.size(), [&](size_t place, size_t from, size_t count) {
    memcpy(room.begin() + place, bytes.begin() + from, count);
  });
  highest = std::max(highest, end);
}

void OffsetRing::copyOut(uint64_t offset, kj::ArrayPtr<kj::byte> out) const {
  if (out.size() == 0) return;
  KJ_REQUIRE(offset >= lowest && offset + out.size() <= highest);
  inPieces(room.size(), offset, out.size(), [&](size_t place, size_t from, size_t count) {
    memcpy(out.begin() + from, room.begin() + place, count);
  });
}

void OffsetRing::dropBelow(uint64_t offset) {
  lowest = std::max(lowest, offset);
  highest = std::max(highest, lowest);
}

void OffsetRing::growTo(size_t bytes) {
  auto size = std::max(room.size(), ROOM_BYTES_MIN);
  while (size < bytes) size *= 2;
  auto held = kj::heapArray<kj::byte>(highest - lowest);
  copyOut(lowest, held);
  room = kj::heapArray<kj::byte>(size);
  inPieces(room.size(), lowest, held.size(), [&](size_t place, size_t from, size_t count) {
    memcpy(room.begin() + place, held.begin() + from, count);
  });
}

}  // namespace hearth::transport
