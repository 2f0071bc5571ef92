#include "storage/crdt/varint.h"

namespace hearth::storage {

VarWriter& VarWriter::u8(uint8_t value) {
  out += static_cast<char>(value);
  return *this;
}

VarWriter& VarWriter::number(uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
  return *this;
}

VarWriter& VarWriter::signedNumber(int64_t value) {
  return number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}

VarWriter& VarWriter::raw(std::string_view bytes) {
  out += bytes;
  return *this;
}

VarWriter& VarWriter::bytes(std::string_view bytes) { return number(bytes.size()).raw(bytes); }

uint8_t VarReader::u8() {
  auto one = raw(1);
  return one.empty() ? 0 : static_cast<uint8_t>(one[0]);
}

uint64_t VarReader::number(uint64_t most) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    auto byte = u8();
    auto bits = static_cast<uint64_t>(byte & 0x7f);
    // One value, one form: no bits beyond the 64th, no zeros on top.
    bool fits = (bits << shift) >> shift == bits && (shift == 0 || byte != 0);
    if (bad || !fits) break;
    value |= bits << shift;
    if (byte & 0x80) continue;
    if (value > most) break;
    return value;
  }
  bad = true;
  return 0;
}

int64_t VarReader::signedNumber() {
  auto folded = number();
  return static_cast<int64_t>((folded >> 1) ^ (~(folded & 1) + 1));
}

std::string_view VarReader::raw(size_t count) {
  if (bad || count > rest.size()) {
    bad = true;
    return {};
  }
  auto taken = rest.substr(0, count);
  rest.remove_prefix(count);
  return taken;
}

std::string_view VarReader::bytes(size_t most) { return raw(number(most)); }

bool isUtf8(std::string_view bytes) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (size_t i = 0; i < bytes.size();) {
    auto lead = at(i);
    size_t length = lead < 0x80 ? 1
        : lead < 0xc2           ? 0
        : lead < 0xe0           ? 2
        : lead < 0xf0           ? 3
        : lead < 0xf5           ? 4
                                : 0;
    if (length == 0 || length > bytes.size() - i) return false;
    for (size_t k = 1; k < length; ++k) {
      if ((at(i + k) & 0xc0) != 0x80) return false;
    }
    if (length > 2) {
      auto second = at(i + 1);
      bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
      bool surrogate = lead == 0xed && second > 0x9f;
      if (overlong || surrogate || (lead == 0xf4 && second > 0x8f)) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace hearth::storage
