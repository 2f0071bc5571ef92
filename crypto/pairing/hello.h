#pragma once
// The first two records of a pairing. A is an admin of the circle, B the new device; both say by
// which method their people pair, and abort when the methods differ.
//
//   PAIR_HELLO A->B   u8 version 1 | u8 suite 1 | u8 method | u8 0 | b[16] nonce
//   PAIR_REPLY B->A   the same

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

enum class PairMethod : uint8_t {
  QR = 1,    // B shows a QR code, A scans it
  SAS = 2,   // both show the same pictures or digits
  CODE = 3,  // B shows six words, A's user types them

  // No pairing: A has nothing but the recovery key, and B is any device of its circle (recover.h).
  RECOVERY = 4,
};

using PairNonce = Id<struct PairNonceTag, 16>;

struct PairHello {
  PairMethod method;
  PairNonce nonce;

  Buffer body() const;

  // Errors: BAD_VERSION for another version or suite, BAD_FORMAT.
  static Result<PairHello> parse(Bytes body);
};

// Binds everything that follows to both records.
Digest helloHash(Bytes helloBody, Bytes replyBody);
Buffer pairPrologue(PairMethod method, const Digest& helloHash);

}  // namespace hearth::crypto
