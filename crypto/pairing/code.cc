#include "crypto/pairing/code.h"

#include "crypto/identity/words.h"
#include "crypto/primitives/hash.h"

#include <cstring>

namespace hearth::crypto {

namespace {

constexpr size_t TEXT_BYTES_MAX = PAIRING_CODE_WORDS * (WORD_CHARACTERS_MAX + 1);

// lv("hearth/pair/cpace/v1") || lv("admin") || lv("new")
constexpr kj::StringPtr CI = "\x14hearth/pair/cpace/v1\x05"
                             "admin\x03"
                             "new"_kj;
constexpr kj::StringPtr ADA = "hearth/pair/admin"_kj;
constexpr kj::StringPtr ADB = "hearth/pair/new"_kj;

bool isGap(kj::byte c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '-'; }

kj::byte lower(kj::byte c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

// The words in normal form, built word by word.
class Text final {
 public:
  void add(Bytes word) {
    if (length > 0) text.begin()[length++] = ' ';
    memcpy(text.begin() + length, word.begin(), word.size());
    length += word.size();
  }
  Secret finish() const { return Secret::copyOf(text.reveal().slice(0, length)); }

 private:
  Scratch<TEXT_BYTES_MAX> text;
  size_t length = 0;
};

}  // namespace

PairingCode PairingCode::draw(Entropy& entropy) {
  Text text;
  for (size_t i = 0; i < PAIRING_CODE_WORDS; ++i) {
    auto drawn = entropy.draw<uint16_t>();
    text.add(wordAt(drawn % WORD_COUNT).asBytes());  // 2^16 is a multiple of 2048: no bias
  }
  return PairingCode(text.finish());
}

Result<PairingCode> PairingCode::parse(Bytes typed) {
  Text text;
  size_t count = 0, at = 0;
  for (;;) {
    while (at < typed.size() && isGap(typed[at])) ++at;
    if (at == typed.size()) break;
    Scratch<WORD_CHARACTERS_MAX> word;
    size_t length = 0;
    for (; at < typed.size() && !isGap(typed[at]); ++at) {
      if (length == WORD_CHARACTERS_MAX) return no(Errc::BAD_FORMAT, "a word is not in the list");
      word.begin()[length++] = lower(typed[at]);
    }
    auto found = word.reveal().slice(0, length);
    if (indexOfWord(found.asChars()) == nullptr) {
      return no(Errc::BAD_FORMAT, "a word is not in the list");
    }
    if (++count > PAIRING_CODE_WORDS) return no(Errc::BAD_LENGTH, "a code has six words");
    text.add(found);
  }
  if (count != PAIRING_CODE_WORDS) return no(Errc::BAD_LENGTH, "a code has six words");
  return PairingCode(text.finish());
}

Cpace::Setting codeSetting(Bytes prs, Bytes sid) {
  return {prs, CI.asBytes(), sid, ADA.asBytes(), ADB.asBytes()};
}

CodeExchange::CodeExchange(
    const PairingCode& code, const PairNonce& a, const PairNonce& b, Cpace::Scalar scalarIn)
    : scalar(kj::mv(scalarIn)) {
  memcpy(sid, a.bytes, PairNonce::SIZE);
  memcpy(sid + PairNonce::SIZE, b.bytes, PairNonce::SIZE);
  auto generatorString = Cpace::generatorString(codeSetting(code.reveal(), sid));
  own = Cpace::multiply(scalar, Cpace::generator(generatorString.reveal()));
}

Result<Psk> CodeExchange::finish(
    bool isAdmin, const Cpace::Point& peer, const Digest& helloHash) const {
  auto shared = Cpace::agree(scalar, peer);
  if (!shared) return no(shared.error());
  auto &a = isAdmin ? own : peer, &b = isAdmin ? peer : own;
  auto isk = Cpace::isk(codeSetting(nullptr, sid), *shared, a, b);
  return derive<Psk>(isk.reveal(), "hearth/pair-psk/code/v1", {helloHash.asBytes()});
}

}  // namespace hearth::crypto
