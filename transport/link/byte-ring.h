#pragma once
// A queue of bytes in one block: bytes are copied in at the end, looked at anywhere and dropped at the
// front. The block doubles when it is full; one that has become much too large goes when it is empty.

#include <kj/array.h>

#include <cstddef>

namespace hearth::transport {

class ByteRing final {
 public:
  // Where a run of bytes lies: `second` is empty unless it goes around the end of the block. Valid until
  // the ring changes.
  struct View {
    kj::ArrayPtr<const kj::byte> first, second;
    size_t size() const { return first.size() + second.size(); }
  };

  size_t size() const { return count; }
  bool empty() const { return count == 0; }

  void append(kj::ArrayPtr<const kj::byte> bytes);

  // Requires at + bytes <= size().
  View view(size_t at, size_t bytes) const;

  // Copies as many as fit from the front, and drops them.
  size_t take(kj::ArrayPtr<kj::byte> out);

  // Requires bytes <= size().
  void drop(size_t bytes);
  void clear() { drop(count); }

 private:
  static constexpr size_t BLOCK_BYTES_LEAST = 1 << 10;
  static constexpr size_t BLOCK_BYTES_KEPT = 16 << 10;  // whatever it was used for

  kj::Array<kj::byte> block;  // its size is a power of two
  size_t begin = 0;           // within the block
  size_t count = 0;
  size_t peak = 0;  // of `count` since the ring was empty

  void grow(size_t least);
};

}  // namespace hearth::transport
