#pragma once
// What the fuzz targets share. An input is a way into the target and what goes there:
//
//   u8 way | rest                        ways are numbered in each target, and taken modulo their count
//
// A target must neither crash nor throw nor hang, whatever the bytes: what a parser refuses it
// refuses by Result. Where a parser sits behind a key, the target holds the key, so that the input
// reaches it. What a target expects of the values that it was given it says with expect().

#include "core/base/flat.h"
#include "crypto/primitives/bytes.h"

#include <kj/debug.h>

#include <cstring>
#include <vector>

namespace hearth::fuzz {

using crypto::Buffer;
using crypto::Bytes;

inline void expect(bool holds) { KJ_ASSERT(holds, "a target expects otherwise"); }

inline Buffer zeros(size_t count) {
  auto bytes = kj::heapArray<kj::byte>(count);
  if (count > 0) memset(bytes.begin(), 0, count);
  return bytes;
}

// A valid value, damaged as the input says: list8<u16 place, u8 xor> | u8 bytes cut off | var8 added.
// Places wrap around, so that nearly every input damages something.
inline Buffer damaged(Bytes value, FlatReader& in) {
  auto bytes = kj::heapArray<kj::byte>(value);
  auto count = in.u8();
  for (uint8_t i = 0; in.good() && i < count; ++i) {
    auto place = in.u16();
    auto change = in.u8();
    if (bytes.size() > 0) bytes[place % bytes.size()] ^= change;
  }
  auto kept = bytes.size() - kj::min(in.u8(), bytes.size());
  FlatWriter out;
  out.bytes(bytes.slice(0, kept)).bytes(in.var8());
  return out.finish();
}

// What damaged() reads where nothing is to be damaged.
inline Buffer undamaged() {
  FlatWriter out;
  out.u8(0).u8(0).var8(nullptr);
  return out.finish();
}

// Goes the way that the input names.
template <size_t N>
int goOneOf(void (*const (&ways)[N])(FlatReader&), const uint8_t* data, size_t size) {
  FlatReader in(kj::arrayPtr(data, size));
  ways[in.u8() % N](in);
  return 0;
}

inline Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

}  // namespace hearth::fuzz
