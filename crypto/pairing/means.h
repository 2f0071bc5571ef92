#pragma once
// By what the people at both devices make sure that these mean each other: a code that one of them
// types, a QR code that the other device scans, or pictures that both compare.

#include "crypto/handshake/pattern.h"
#include "crypto/pairing/code.h"
#include "crypto/pairing/qr.h"

#include <variant>

namespace hearth::crypto {

// What a QR code says, without the places: a commitment to B's bundle, and the secret of one attempt.
struct QrProof {
  Digest commitment;
  QrSecret secret;

  // For the device that will show it.
  static QrProof draw(const Bundle& joiner, Entropy& entropy);
};

struct SasComparison {};

using PairingMeans = std::variant<PairingCode, QrProof, SasComparison>;

PairMethod methodOf(const PairingMeans& means);
// XXhfs where pictures prove, XXhfspsk0 where a secret does.
Protocol protocolOf(PairMethod method);

}  // namespace hearth::crypto
