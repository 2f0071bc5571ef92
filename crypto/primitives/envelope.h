#pragma once
// An envelope carries a body and the signatures over it:
//
//   var8 type | var32 body | u8 n | n * (b[32] signer_id | b[64] sig)
//
// Reading one checks its form; whose key a signer_id stands for, and hence whether a signature
// holds, only the reader of the body knows.

#include "crypto/primitives/signature.h"

#include <kj/vector.h>

namespace hearth::crypto {

struct Signed {
  DeviceId signer;
  Signature signature;
};

// `body` points into the bytes that were read, which must outlive the envelope.
struct Envelope {
  static constexpr size_t SIGNERS_MAX = 8;

  Bytes body;
  kj::Vector<Signed> signatures;  // 1..SIGNERS_MAX, in the order of the bytes
};

// Errors: BAD_FORMAT for another type than `type`, a body longer than `bodyBytesMax`, no
// signature, more than SIGNERS_MAX, or bytes left over.
Result<Envelope> readEnvelope(SigType type, Bytes bytes, size_t bodyBytesMax);

Buffer writeEnvelope(SigType type, Bytes body, kj::ArrayPtr<const Signed> signatures);

// Signs `body` with one key.
Buffer sealEnvelope(SigType type, Bytes body, const DeviceId& signer, const SignSecret& secret);

}  // namespace hearth::crypto
