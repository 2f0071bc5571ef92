#include "core/base/printable.h"

#include <cstdint>
#include <iterator>

namespace hearth {

namespace {

// One code point, strictly as RFC 3629 has it; 0: none stands there.
uint32_t takeCodePoint(kj::ArrayPtr<const char>& text) {
  struct Form {
    uint8_t mask, lead;
    uint32_t least;
  };
  constexpr Form FORMS[] = {
      {0x80, 0x00, 0x1}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
  constexpr uint32_t LAST = 0x10ffff, SURROGATES = 0xd800, SURROGATES_END = 0xe000;
  auto first = static_cast<uint8_t>(text[0]);
  for (size_t length = 1; length <= std::size(FORMS); ++length) {
    auto& form = FORMS[length - 1];
    if ((first & form.mask) != form.lead || text.size() < length) continue;
    uint32_t point = first & static_cast<uint8_t>(~form.mask);
    for (size_t i = 1; i < length; ++i) {
      auto next = static_cast<uint8_t>(text[i]);
      if ((next & 0xc0) != 0x80) return 0;
      point = point << 6 | (next & 0x3f);
    }
    text = text.slice(length, text.size());
    bool isSurrogate = point >= SURROGATES && point < SURROGATES_END;
    return point < form.least || point > LAST || isSurrogate ? 0 : point;
  }
  return 0;
}

// C0 and C1 controls, separators of lines and paragraphs, and what turns the direction of writing
// (Unicode's Bidi_Control), by which one name could look like another.
bool isHarmless(uint32_t point) {
  bool isControl = point < 0x20 || (point >= 0x7f && point < 0xa0);
  bool isTurning = point == 0x61c || point == 0x200e || point == 0x200f ||
      (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
  return !isControl && !isTurning && point != 0xfeff;
}

}  // namespace

bool isPrintable(kj::StringPtr text) {
  for (kj::ArrayPtr<const char> rest = text.asArray(); rest.size() > 0;) {
    if (!isHarmless(takeCodePoint(rest))) return false;
  }
  return true;
}

}  // namespace hearth
