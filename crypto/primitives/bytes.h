#pragma once
// Words for byte strings, shared by the whole floor.

#include <kj/array.h>

#include <cstdint>
#include <initializer_list>

namespace hearth::crypto {

using Bytes = kj::ArrayPtr<const kj::byte>;  // borrowed, read only
using Buffer = kj::Array<kj::byte>;          // owned
using Parts = std::initializer_list<Bytes>;  // hashed one after another: `a || b || c`

// An integer as the flat encoding has it, little-endian, for use as one of Parts. The bytes live as
// long as the value: Little(seq).asBytes() holds until the end of the full expression.
template <typename T>
class Little final {
 public:
  explicit Little(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      encoded[i] = static_cast<kj::byte>(static_cast<uint64_t>(value) >> (8 * i));
    }
  }
  Bytes asBytes() const { return kj::arrayPtr(encoded, sizeof(T)); }

 private:
  kj::byte encoded[sizeof(T)];
};

}  // namespace hearth::crypto
