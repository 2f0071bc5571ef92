#pragma once
// The recovery key of a circle: 256 bits, shown to the owner once as 24 words and then wiped. The
// words are the only copy. It signs Genesis, and later only what repairs a circle.
//
//   words = seed || first byte of SHA-256(seed), 11 bits a word, most significant first (BIP-39)

#include "crypto/primitives/exchange.h"
#include "crypto/primitives/signature.h"

namespace hearth::crypto {

using RecoverySeed = Key<struct RecoverySeedTag, 32>;

constexpr size_t RECOVERY_WORDS = 24;

struct RecoveryKeys {
  SignSecret ed;
  XWing::Secret xw;
  SignPublic edPk;
  XWing::Public xwPk;
  DeviceId id;  // recovery_id

  static RecoveryKeys fromSeed(const RecoverySeed& seed);
};

// recovery_id of public keys as they stand in a log.
DeviceId recoveryId(const SignPublic& edPk, const XWing::Public& xwPk);

// ASCII, single spaces between the words.
Secret recoveryWords(const RecoverySeed& seed);

// Reads words as people type them: any case, any white space between.
//
// Errors: BAD_LENGTH unless there are 24, BAD_FORMAT for a word that is not in the list, BAD_MAC
// when the check byte does not match. Show the list of words and ask again.
Result<RecoverySeed> recoverySeed(Bytes words);

}  // namespace hearth::crypto
