#pragma once
// The QR code that a new device (B) shows: a commitment to its bundle, a secret for one attempt, and
// where it listens.
//
//   u8 version 1 | u8 0 | b[32] commitment | b[16] qr_secret | list8<u8 4|6, address, u16 port>
//   shown as "HEARTH1:" and base32, which is in the alphanumeric alphabet of QR codes

#include "crypto/handshake/noise.h"
#include "crypto/identity/bundle.h"

#include <kj/vector.h>

namespace hearth::crypto {

using QrSecret = Key<struct QrSecretTag, 16>;

constexpr size_t QR_HINTS_MAX = 4;

struct QrHint {
  kj::Vector<kj::byte> address;  // 4 or 16 bytes, network order
  uint16_t port;
};

Digest qrCommitment(const Bundle& joiner, const QrSecret& secret);

// psk0 of Noise_XXhfspsk0.
Psk qrPsk(const QrSecret& secret, const Digest& commitment, const Digest& helloHash);

// Requires at most QR_HINTS_MAX hints.
Buffer qrPayload(
    const Digest& commitment, const QrSecret& secret, kj::ArrayPtr<const QrHint> hints);
kj::String qrText(Bytes payload);

// What a QR code that somebody has scanned says.
struct QrOffer {
  Digest commitment;
  QrSecret secret;
  kj::Vector<QrHint> hints;
};

// Errors: BAD_FORMAT for what is no Hearth code, BAD_VERSION for one of another version.
Result<QrOffer> readQr(kj::StringPtr text);

}  // namespace hearth::crypto
