#pragma once
// Primitives as published vectors have them: bare, where the product knows them only inside PAE, KDF
// and chains of certificates. In hearth-crypto-vectors, that no shipping program links.

#include "core/base/result.h"
#include "crypto/primitives/bytes.h"

namespace hearth::crypto {

// RFC 8032, without PAE. `pk` 32 bytes; a signature of another length than 64 does not hold.
bool verifyEd25519(Bytes pk, Bytes message, Bytes signature);

// RFC 5869. Errors: LIMIT_EXCEEDED for more than 255 * 32 bytes.
Result<Buffer> hkdfSha256(Bytes salt, Bytes secret, Bytes info, size_t bytes);

// FIPS 186-5 over P-256 with SHA-256. `key`: SubjectPublicKeyInfo in DER; `signature`: DER.
bool verifyEcdsaP256(Bytes key, Bytes message, Bytes signature);

}  // namespace hearth::crypto
