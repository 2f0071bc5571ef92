#pragma once
// Bytes of a stream by their offset, from where it is needed to where it has come. The memory grows
// with what is held, up to a limit.

#include <kj/array.h>

#include <cstdint>

namespace hearth::transport {

class OffsetRing final {
 public:
  // Requires offset >= begin().
  void put(uint64_t offset, kj::ArrayPtr<const kj::byte> bytes);
  void copyOut(uint64_t offset, kj::ArrayPtr<kj::byte> out) const;
  void dropBelow(uint64_t offset);

  uint64_t begin() const { return lowest; }
  size_t roomBytes() const { return room.size(); }

 private:
  static constexpr size_t ROOM_BYTES_MIN = 4 << 10;

  kj::Array<kj::byte> room;  // a power of two
  uint64_t lowest = 0;
  uint64_t highest = 0;

  void growTo(size_t bytes);
};

}  // namespace hearth::transport
