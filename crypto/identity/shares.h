#pragma once
// The recovery seed cut into three shares of which any two give it back (Shamir over GF(2^8),
// polynomial 0x11b): share = seed xor index * r, r random.
//
//   u8 version 1 | u8 threshold 2 | u8 index 1..3 | b[8] set_id | b[32] share | b[16] mac   59 bytes
//
// The mac is under a key of the seed, so it is checked once two shares are together.

#include "crypto/identity/recovery.h"

namespace hearth::crypto {

constexpr size_t SHARE_COUNT = 3;
constexpr size_t SHARE_BYTES = 59;

using ShareSetId = Id<struct ShareSetTag, 8>;
using ShareCoefficients = Key<struct ShareCoefficientsTag, 32>;

// Requires index 1..SHARE_COUNT. All shares of a set have the same set id and coefficients, which
// are random and used once.
Secret recoveryShare(const RecoverySeed& seed, const ShareSetId& set,
    const ShareCoefficients& coefficients, uint8_t index);

// Errors: BAD_LENGTH; BAD_VERSION for another version or threshold; BAD_FORMAT for an index out of
// range, equal indexes or shares of different sets; BAD_MAC when one of them was changed.
Result<RecoverySeed> combineShares(Bytes first, Bytes second);

}  // namespace hearth::crypto
