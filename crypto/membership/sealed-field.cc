#include "crypto/membership/sealed-field.h"

#include "core/base/flat.h"

#include <iterator>

namespace hearth::crypto {

namespace {

constexpr size_t HEAD_BYTES = EpochId::SIZE + XChaChaPoly::Nonce::SIZE;

Buffer aadOf(const FieldPlace& place) {
  FlatWriter out;
  out.bytes("hearth/sealed-field/v1"_kj.asBytes()).bytes(place.circle.asBytes());
  out.bytes(place.author.asBytes()).u64(place.seq);
  return out.finish();
}

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

kj::String textOf(Bytes bytes) { return kj::heapString(bytes.asChars()); }

}  // namespace

bool isName(kj::StringPtr text) {
  if (text.size() > DeviceNames::NAME_BYTES_MAX) return false;
  for (kj::ArrayPtr<const char> rest = text.asArray(); rest.size() > 0;) {
    if (!isHarmless(takeCodePoint(rest))) return false;
  }
  return true;
}

Buffer sealField(const FieldPlace& place, const EpochId& epoch, const EpochSecret& secret,
    const XChaChaPoly::Nonce& nonce, Bytes plain) {
  auto key = logKey(secret, {place.circle, epoch});
  FlatWriter out;
  out.bytes(epoch.asBytes()).bytes(nonce.asBytes());
  out.bytes(XChaChaPoly::seal(key.reveal(), nonce, aadOf(place), plain));
  return out.finish();
}

Result<EpochId> epochOfField(Bytes sealed) {
  if (sealed.size() < HEAD_BYTES + XChaChaPoly::TAG_BYTES)
    return no(Errc::BAD_FORMAT, "a sealed field that is too short");
  return EpochId::from(sealed.slice(0, EpochId::SIZE));
}

Result<Buffer> openField(const FieldPlace& place, const EpochSecret& secret, Bytes sealed) {
  auto epoch = epochOfField(sealed);
  if (!epoch) return no(epoch.error());
  auto nonce = XChaChaPoly::Nonce::from(sealed.slice(EpochId::SIZE, HEAD_BYTES));
  auto key = logKey(secret, {place.circle, *epoch});
  return XChaChaPoly::open(
      key.reveal(), *nonce, aadOf(place), sealed.slice(HEAD_BYTES, sealed.size()));
}

Buffer DeviceNames::encode() const {
  FlatWriter out;
  out.var8(name.asBytes()).var8(model.asBytes()).u8(icon);
  return out.finish();
}

Result<DeviceNames> DeviceNames::decode(Bytes plain) {
  FlatReader in(plain);
  DeviceNames names;
  names.name = textOf(in.var8());
  names.model = textOf(in.var8());
  names.icon = in.u8();
  if (names.name.size() == 0 || !isName(names.name) || !isName(names.model)) in.refuse();
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return names;
}

}  // namespace hearth::crypto
