#pragma once
// Pairing codes: six words of the BIP-39 list (66 random bits) that a device without camera or
// screen prints, and what CPace makes of them.

#include "crypto/handshake/noise.h"
#include "crypto/pairing/cpace.h"
#include "crypto/pairing/hello.h"

namespace hearth::crypto {

constexpr size_t PAIRING_CODE_WORDS = 6;

// The normal form of a code: lower case, single spaces, ASCII.
class PairingCode final {
 public:
  static PairingCode draw(Entropy& entropy);

  // Reads a code as people type it: any case, any white space between, hyphens as spaces.
  // Errors: BAD_LENGTH unless there are six words, BAD_FORMAT for a word that is not in the list.
  // Neither is a try: nothing was sent.
  static Result<PairingCode> parse(Bytes typed);

  Bytes reveal() const { return words.reveal(); }

 private:
  Secret words;

  explicit PairingCode(Secret words): words(kj::mv(words)) {}
};

// The constants of Hearth's use of CPace; the session identifier is nonce_a || nonce_b.
Cpace::Setting codeSetting(Bytes prs, Bytes sid);

// One side's CPace, from the code to psk0.
class CodeExchange final {
 public:
  CodeExchange(
      const PairingCode& code, const PairNonce& a, const PairNonce& b, Cpace::Scalar scalar);

  const Cpace::Point& share() const { return own; }  // the body of PAKE_A or PAKE_B

  // psk0 of Noise_XXhfspsk0, from the peer's share.
  // Errors: SMALL_ORDER.
  Result<Psk> finish(bool isAdmin, const Cpace::Point& peer, const Digest& helloHash) const;

 private:
  kj::byte sid[2 * PairNonce::SIZE];
  Cpace::Scalar scalar;
  Cpace::Point own;
};

}  // namespace hearth::crypto
