#pragma once
// The flat encoding of SECURITY.md: fields in order, no padding, integers little-endian,
// `var8/var16/var32` a length and then the bytes. One canonical byte string per value, because
// signatures and hashes need exactly one.
//
// FlatReader never reads past its end and never trusts a length: the first read that does not fit
// makes it bad for good, and every read after that yields zeros or nothing. Read all fields, then
// ask finish() once.

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/vector.h>

#include <cstdint>

namespace hearth {

class FlatWriter final {
 public:
  FlatWriter& u8(uint8_t value) { return little(value, 1); }
  FlatWriter& u16(uint16_t value) { return little(value, 2); }
  FlatWriter& u24(uint32_t value) { return little(value, 3); }
  FlatWriter& u32(uint32_t value) { return little(value, 4); }
  FlatWriter& u64(uint64_t value) { return little(value, 8); }
  FlatWriter& i64(int64_t value) { return little(static_cast<uint64_t>(value), 8); }
  FlatWriter& bytes(kj::ArrayPtr<const kj::byte> value);

  // Requires that the length fits its width; a longer value is a bug in the caller.
  FlatWriter& var8(kj::ArrayPtr<const kj::byte> value);
  FlatWriter& var16(kj::ArrayPtr<const kj::byte> value);
  FlatWriter& var32(kj::ArrayPtr<const kj::byte> value);

  size_t size() const { return buffer.size(); }
  kj::ArrayPtr<const kj::byte> asBytes() const { return buffer.asPtr(); }
  kj::Array<kj::byte> finish() { return buffer.releaseAsArray(); }

 private:
  kj::Vector<kj::byte> buffer;

  FlatWriter& little(uint64_t value, size_t width);
};

class FlatReader final {
 public:
  explicit FlatReader(kj::ArrayPtr<const kj::byte> input): rest(input) {}

  uint8_t u8() { return static_cast<uint8_t>(little(1)); }
  uint16_t u16() { return static_cast<uint16_t>(little(2)); }
  uint32_t u24() { return static_cast<uint32_t>(little(3)); }
  uint32_t u32() { return static_cast<uint32_t>(little(4)); }
  uint64_t u64() { return little(8); }
  int64_t i64() { return static_cast<int64_t>(little(8)); }

  // A view into the input, `count` bytes long, or empty when it does not fit.
  kj::ArrayPtr<const kj::byte> bytes(size_t count);
  kj::ArrayPtr<const kj::byte> var8(size_t most = 0xff) { return limited(u8(), most); }
  kj::ArrayPtr<const kj::byte> var16(size_t most = 0xffff) { return limited(u16(), most); }
  kj::ArrayPtr<const kj::byte> var32(size_t most) { return limited(u32(), most); }

  template <typename IdType>
  IdType id() {
    return IdType::from(bytes(IdType::SIZE)).value_or(IdType());
  }

  // The count of a list whose items take at least `itemBytesMin` each, so that a lying count is
  // refused before anything is allocated. Zero when it is more than `most` or cannot fit.
  size_t count8(size_t most, size_t itemBytesMin) { return plausible(u8(), most, itemBytesMin); }
  size_t count16(size_t most, size_t itemBytesMin) { return plausible(u16(), most, itemBytesMin); }

  // For values that were read well and are still wrong: a reserved field, an unsorted list.
  void refuse() { bad = true; }

  bool good() const { return !bad; }
  kj::ArrayPtr<const kj::byte> remaining() const { return rest; }

  // Errors: BAD_FORMAT when any read did not fit, refuse() was called, or bytes are left over.
  Result<void> finish() const;

 private:
  kj::ArrayPtr<const kj::byte> rest;
  bool bad = false;

  uint64_t little(size_t width);
  kj::ArrayPtr<const kj::byte> limited(size_t length, size_t most);
  size_t plausible(size_t count, size_t most, size_t itemBytesMin);
};

}  // namespace hearth
