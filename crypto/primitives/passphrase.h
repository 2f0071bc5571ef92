#pragma once
// A key out of what a person remembers: Argon2id (RFC 9106), slow and hungry on purpose, so that
// whoever steals a disk pays for every guess.

#include "core/base/ids.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

using PassphraseSalt = Id<struct PassphraseSaltTag, 16>;
using PassphraseKey = Key<struct PassphraseKeyTag, 32>;

// What one guess costs. Kept beside the salt, so that a later default opens what an earlier one sealed.
struct StretchCost {
  static constexpr uint64_t PASSES_MAX = 16;
  static constexpr uint64_t MEMORY_BYTES_MIN = 8 << 20;
  static constexpr uint64_t MEMORY_BYTES_MAX = uint64_t{1} << 30;

  uint64_t passes;
  uint64_t memoryBytes;

  // libsodium's MODERATE: 3 passes over 256 MiB, about 0.7 s on a laptop.
  static StretchCost moderate();

  // A key file is not believed: no more is spent on it than these bounds allow.
  bool isBearable() const;
};

// Requires a bearable cost. Errors: LIMIT_EXCEEDED when the memory is not to be had.
Result<PassphraseKey> stretch(
    const Secret& passphrase, const PassphraseSalt& salt, const StretchCost& cost);

}  // namespace hearth::crypto
