#pragma once
// Whole numbers in as few bytes as they need: seven bits a byte, the least first, the top bit set on all
// but the last (LEB128). Signed ones are folded first, so that small ones of either sign are short.

#include <kj/common.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::storage {

class VarWriter final {
 public:
  VarWriter& u8(uint8_t value);
  VarWriter& number(uint64_t value);
  VarWriter& signedNumber(int64_t value);
  VarWriter& raw(std::string_view bytes);
  VarWriter& bytes(std::string_view bytes);  // their length first

  size_t size() const { return out.size(); }
  std::string_view written() const { return out; }
  std::string finish() { return std::move(out); }

 private:
  std::string out;
};

// Never reads past its end: the first read that does not fit makes it bad for good, and every read after
// that yields zeros or nothing.
class VarReader final {
 public:
  explicit VarReader(std::string_view input): rest(input) {}

  uint8_t u8();
  uint64_t number(uint64_t most = ~uint64_t{0});  // bad when it is more
  int64_t signedNumber();
  std::string_view raw(size_t count);
  std::string_view bytes(size_t most);

  void refuse() { bad = true; }
  bool good() const { return !bad; }
  bool atEnd() const { return rest.empty(); }
  size_t remaining() const { return rest.size(); }

 private:
  std::string_view rest;
  bool bad = false;
};

// Whether these bytes are well-formed UTF-8 (RFC 3629) without surrogates.
bool isUtf8(std::string_view bytes);

}  // namespace hearth::storage
