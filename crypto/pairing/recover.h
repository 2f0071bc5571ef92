#pragma once
// How whoever holds a circle's recovery key, and nothing else, gets the circle's log from one of its
// devices, and gives it the ops that begin the circle anew (docs/PROTOCOL.md, "Recovery"):
//
//   caller                                  host: any device of the circle, also one that is out
//   | PAIR_HELLO, method 4 ------------->   |
//   | <----------------------- PAIR_REPLY   |
//   | HS_INIT, HS_RESP, HS_FINAL            |   as in pairing; does not open: the key is another circle's
//   | <------------------------ CHALLENGE   |   a ciphertext to the recovery key
//   | PROOF ------------------------------> |   a MAC under its secret, bound to this handshake
//   | <------------------- T4 ..., HINTS    |   the whole log, which no one gets without the proof
//   | OPS --------------------------------> |   RecoveryReset and Epoch
//   | <----------------------------- TAKEN  |   they are on its disk
//
// Two pure machines, RecoveryCaller and RecoveryHost. Any error ends them: close the carrier without a
// word. Here is what both compute.

#include "crypto/handshake/session.h"
#include "crypto/identity/bundle.h"
#include "crypto/primitives/exchange.h"
#include "crypto/primitives/hash.h"

namespace hearth::crypto {

constexpr size_t RECOVERY_OPS_MAX = 2;

// PAIRING messages beside those of payloads.h.
constexpr uint8_t RECOVERY_CHALLENGE = 6, RECOVERY_PROOF = 7, RECOVERY_OPS = 8, RECOVERY_TAKEN = 9;

// Whoever does not know the circle's recovery key by name costs no Diffie-Hellman.
Psk recoveryPsk(const DeviceId& recoveryId, const Digest& helloHashed);

// Of this handshake and both ends: a proof is worth nothing elsewhere.
Digest recoveryBinding(const NoiseH& noiseH, const Bundle& host, const Bundle& caller);
Mac16 recoveryProof(const XWing::Shared& shared, const Digest& binding);

}  // namespace hearth::crypto
