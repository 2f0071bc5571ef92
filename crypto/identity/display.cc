#include "crypto/identity/display.h"

#include <kj/vector.h>

namespace hearth::crypto {

namespace {

constexpr kj::StringPtr ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"_kj;
constexpr size_t BITS = 5;
constexpr size_t CHECKED = 13;  // characters that one check character covers
constexpr size_t GROUP = 7;
constexpr size_t PLAIN = 52;   // characters of an id
constexpr size_t DIGITS = 56;  // with the check characters

kj::Maybe<uint8_t> digitOf(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint8_t>(c - 'A');
  if (c >= '2' && c <= '7') return static_cast<uint8_t>(c - '2' + 26);
  return nullptr;
}

// Luhn mod 32: digits times 1, 2, 1, .. with the two base-32 digits of each product added.
uint8_t checkDigit(kj::ArrayPtr<const uint8_t> digits) {
  uint32_t sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    uint32_t product = digits[i] * (i % 2 + 1);
    sum += product / 32 + product % 32;
  }
  return static_cast<uint8_t>((32 - sum % 32) % 32);
}

kj::Vector<uint8_t> base32Digits(Bytes bytes) {
  kj::Vector<uint8_t> digits;
  uint32_t pending = 0, bits = 0;
  for (auto b: bytes) {
    pending = pending << 8 | b;
    for (bits += 8; bits >= BITS; bits -= BITS) digits.add((pending >> (bits - BITS)) & 31);
  }
  if (bits > 0) digits.add((pending << (BITS - bits)) & 31);
  return digits;
}

// The display form's 56 digits, or an error.
Result<kj::Vector<uint8_t>> readDigits(kj::StringPtr text) {
  if (text.size() != DISPLAY_CHARACTERS) return no(Errc::BAD_LENGTH, "not 8 groups of 7");
  kj::Vector<uint8_t> digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % (GROUP + 1) == GROUP) {
      if (text[i] != '-') return no(Errc::BAD_FORMAT, "groups are joined by '-'");
      continue;
    }
    KJ_IF_MAYBE(digit, digitOf(text[i])) {
      digits.add(*digit);
    } else {
      return no(Errc::BAD_FORMAT, "a character is not of base32");
    }
  }
  return kj::mv(digits);
}

}  // namespace

kj::String base32(Bytes bytes) {
  auto digits = base32Digits(bytes);
  return kj::str(KJ_MAP(d, digits) { return ALPHABET[d]; });
}

Result<Buffer> parseBase32(kj::StringPtr text) {
  kj::Vector<kj::byte> bytes;
  uint32_t pending = 0, bits = 0;
  for (auto c: text) {
    KJ_IF_MAYBE(digit, digitOf(c)) {
      pending = pending << BITS | *digit;
    } else {
      return no(Errc::BAD_FORMAT, "a character is not of base32");
    }
    bits += BITS;
    if (bits >= 8) bytes.add(static_cast<kj::byte>(pending >> (bits -= 8)));
  }
  bool spare = bits >= BITS || (pending & ((1u << bits) - 1)) != 0;
  if (spare) return no(Errc::BAD_FORMAT, "base32 that no bytes have");
  return bytes.releaseAsArray();
}

kj::String display(const DeviceId& device) {
  auto plain = base32Digits(device.asBytes());
  kj::Vector<uint8_t> digits;
  for (size_t at = 0; at < PLAIN; at += CHECKED) {
    auto run = plain.asPtr().slice(at, at + CHECKED);
    digits.addAll(run);
    digits.add(checkDigit(run));
  }
  kj::Vector<char> text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i % GROUP == 0) text.add('-');
    text.add(ALPHABET[digits[i]]);
  }
  return kj::str(text.asPtr());
}

kj::String displayShort(const DeviceId& device) {
  return kj::str(display(device).asPtr().slice(0, GROUP));
}

Result<DeviceId> parseDisplay(kj::StringPtr text) {
  auto digits = readDigits(text);
  if (!digits) return no(digits.error());
  DeviceId device;
  uint32_t pending = 0, bits = 0;
  size_t filled = 0;
  for (size_t at = 0; at < DIGITS; at += CHECKED + 1) {
    auto run = digits->asPtr().slice(at, at + CHECKED);
    if (checkDigit(run) != (*digits)[at + CHECKED]) {
      return no(Errc::BAD_MAC, "a check character does not match: a character is mistyped");
    }
    for (auto digit: run) {
      pending = pending << BITS | digit;
      bits += BITS;
      if (bits >= 8 && filled < DeviceId::SIZE) {
        bits -= 8;
        device.bytes[filled++] = static_cast<kj::byte>(pending >> bits);
      }
    }
  }
  if ((pending & ((1u << bits) - 1)) != 0) return no(Errc::BAD_FORMAT, "the unused bits are set");
  return device;
}

}  // namespace hearth::crypto
