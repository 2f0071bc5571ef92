#include "crypto/pairing/qr.h"

#include "core/base/flat.h"
#include "crypto/identity/display.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

namespace hearth::crypto {

Digest qrCommitment(const Bundle& joiner, const QrSecret& secret) {
  return hash("hearth/qr-commit/v1", {joiner.body(), secret.reveal()});
}

Psk qrPsk(const QrSecret& secret, const Digest& commitment, const Digest& helloHash) {
  return derive<Psk>(
      secret.reveal(), "hearth/pair-psk/qr/v1", {commitment.asBytes(), helloHash.asBytes()});
}

Buffer qrPayload(
    const Digest& commitment, const QrSecret& secret, kj::ArrayPtr<const QrHint> hints) {
  KJ_REQUIRE(hints.size() <= QR_HINTS_MAX, hints.size());
  FlatWriter writer;
  writer.u8(1).u8(0).bytes(commitment.asBytes()).bytes(secret.reveal());
  writer.u8(static_cast<uint8_t>(hints.size()));
  for (auto& hint: hints) {
    KJ_REQUIRE(hint.address.size() == 4 || hint.address.size() == 16, hint.address.size());
    writer.u8(hint.address.size() == 4 ? 4 : 6).bytes(hint.address).u16(hint.port);
  }
  return writer.finish();
}

kj::String qrText(Bytes payload) { return kj::str("HEARTH1:", base32(payload)); }

}  // namespace hearth::crypto
