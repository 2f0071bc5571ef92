#pragma once
// How a device id is shown to people: base32 (RFC 4648, upper case, no padding), after each 13
// characters one check character, in 8 groups of 7 joined by '-'. The check (Luhn mod 32) catches
// every single wrong character and nearly all swapped neighbours.
//
//   A2JBT6B-KYV64UN-YMLBBNM-5MBANMN-ATCHMQH-TPBI67Z-W677KPB-XEQEBAM        short form: A2JBT6B
//
// People compare the full form, never the short one.

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

constexpr size_t DISPLAY_CHARACTERS = 8 * 7 + 7;

kj::String display(const DeviceId& device);
kj::String displayShort(const DeviceId& device);

// Errors: BAD_LENGTH, BAD_FORMAT for a character or a '-' out of place and for bits beyond the id
// that are not zero, BAD_MAC for a check character that does not match.
Result<DeviceId> parseDisplay(kj::StringPtr text);

// RFC 4648 base32 without padding, upper case; the unused bits of the last character are zero.
kj::String base32(Bytes bytes);
// Errors: BAD_FORMAT for another character, a length that no bytes have, unused bits that are set.
Result<Buffer> parseBase32(kj::StringPtr text);

}  // namespace hearth::crypto
