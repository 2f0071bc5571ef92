#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth {

FlatWriter& FlatWriter::bytes(kj::ArrayPtr<const kj::byte> value) {
  buffer.addAll(value);
  return *this;
}

FlatWriter& FlatWriter::var8(kj::ArrayPtr<const kj::byte> value) {
  KJ_REQUIRE(value.size() <= 0xff, value.size());
  return u8(static_cast<uint8_t>(value.size())).bytes(value);
}

FlatWriter& FlatWriter::var16(kj::ArrayPtr<const kj::byte> value) {
  KJ_REQUIRE(value.size() <= 0xffff, value.size());
  return u16(static_cast<uint16_t>(value.size())).bytes(value);
}

FlatWriter& FlatWriter::var32(kj::ArrayPtr<const kj::byte> value) {
  KJ_REQUIRE(value.size() <= 0xffffffff, value.size());
  return u32(static_cast<uint32_t>(value.size())).bytes(value);
}

FlatWriter& FlatWriter::little(uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) buffer.add(static_cast<kj::byte>(value >> (8 * i)));
  return *this;
}

kj::ArrayPtr<const kj::byte> FlatReader::bytes(size_t count) {
  if (bad || count > rest.size()) {
    bad = true;
    return nullptr;
  }
  auto taken = rest.slice(0, count);
  rest = rest.slice(count, rest.size());
  return taken;
}

Result<void> FlatReader::finish() const {
  if (bad) return no(Errc::BAD_FORMAT, "a field does not fit or holds a value that is refused");
  if (rest.size() > 0) return no(Errc::BAD_FORMAT, "bytes are left over behind the last field");
  return {};
}

uint64_t FlatReader::little(size_t width) {
  auto source = bytes(width);
  uint64_t value = 0;
  for (size_t i = 0; i < source.size(); ++i) value |= static_cast<uint64_t>(source[i]) << (8 * i);
  return value;
}

kj::ArrayPtr<const kj::byte> FlatReader::limited(size_t length, size_t most) {
  if (length > most) bad = true;
  return bytes(length);
}

size_t FlatReader::plausible(size_t count, size_t most, size_t itemBytesMin) {
  if (count > most || count * itemBytesMin > rest.size()) bad = true;
  return bad ? 0 : count;
}

}  // namespace hearth
