#include "crypto/identity/recovery.h"

#include "crypto/identity/words.h"
#include "crypto/primitives/hash.h"

#include <cstring>
#include <sodium.h>

namespace hearth::crypto {

namespace {

constexpr size_t PACKED_BYTES = RecoverySeed::SIZE + 1;
constexpr size_t TEXT_BYTES_MAX = RECOVERY_WORDS * (WORD_CHARACTERS_MAX + 1);
static_assert(PACKED_BYTES * 8 == RECOVERY_WORDS * WORD_BITS);

kj::byte checkByte(Bytes seed) {
  Scratch<crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.begin(), seed.begin(), seed.size());
  return *digest.begin();
}

// The 11 bits of word `index` in the packed form, most significant first.
size_t wordBits(Bytes packed, size_t index) {
  size_t value = 0;
  for (size_t bit = index * WORD_BITS; bit < (index + 1) * WORD_BITS; ++bit) {
    value = value << 1 | ((packed[bit / 8] >> (7 - bit % 8)) & 1);
  }
  return value;
}

void putWordBits(kj::ArrayPtr<kj::byte> packed, size_t index, size_t value) {
  for (size_t i = 0; i < WORD_BITS; ++i) {
    auto bit = index * WORD_BITS + i;
    if ((value >> (WORD_BITS - 1 - i)) & 1) packed[bit / 8] |= 0x80 >> (bit % 8);
  }
}

bool isSpace(kj::byte c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

char lower(kj::byte c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

}  // namespace

DeviceId recoveryId(const SignPublic& edPk, const XWing::Public& xwPk) {
  return hashAs<DeviceId>("hearth/recovery-id/v1", {edPk.asBytes(), xwPk.asBytes()});
}

RecoveryKeys RecoveryKeys::fromSeed(const RecoverySeed& seed) {
  auto ed = SignPair::fromSeed(derive<SignSeed>(seed.reveal(), "hearth/rec/ed/v1"));
  auto xw = derive<XWing::Secret>(seed.reveal(), "hearth/rec/xw/v1");
  auto xwPk = XWing::publicOf(xw);
  return {kj::mv(ed.secret), kj::mv(xw), ed.pk, xwPk, recoveryId(ed.pk, xwPk)};
}

Secret recoveryWords(const RecoverySeed& seed) {
  Scratch<PACKED_BYTES> packed;
  memcpy(packed.begin(), seed.reveal().begin(), RecoverySeed::SIZE);
  packed.begin()[RecoverySeed::SIZE] = checkByte(seed.reveal());

  Scratch<TEXT_BYTES_MAX> text;
  size_t length = 0;
  for (size_t i = 0; i < RECOVERY_WORDS; ++i) {
    auto word = wordAt(wordBits(packed.reveal(), i));
    if (i > 0) text.begin()[length++] = ' ';
    memcpy(text.begin() + length, word.begin(), word.size());
    length += word.size();
  }
  return Secret::copyOf(text.reveal().slice(0, length));
}

Result<RecoverySeed> recoverySeed(Bytes words) {
  Scratch<PACKED_BYTES> packed;
  size_t count = 0, at = 0;
  for (;;) {
    while (at < words.size() && isSpace(words[at])) ++at;
    if (at == words.size()) break;
    Scratch<WORD_CHARACTERS_MAX> word;
    size_t length = 0;
    for (; at < words.size() && !isSpace(words[at]); ++at) {
      if (length == WORD_CHARACTERS_MAX) return no(Errc::BAD_FORMAT, "a word is not in the list");
      word.begin()[length++] = lower(words[at]);
    }
    if (count == RECOVERY_WORDS) return no(Errc::BAD_LENGTH, "more than 24 words");
    KJ_IF_MAYBE(index, indexOfWord(word.reveal().slice(0, length).asChars())) {
      putWordBits(packed.writable(), count++, *index);
    } else {
      return no(Errc::BAD_FORMAT, "a word is not in the list");
    }
  }
  if (count != RECOVERY_WORDS) return no(Errc::BAD_LENGTH, "fewer than 24 words");
  auto seed = packed.reveal().slice(0, RecoverySeed::SIZE);
  if (packed.reveal()[RecoverySeed::SIZE] != checkByte(seed)) {
    return no(Errc::BAD_MAC, "the words do not belong together: one is wrong or misplaced");
  }
  return RecoverySeed::from(seed);
}

}  // namespace hearth::crypto
