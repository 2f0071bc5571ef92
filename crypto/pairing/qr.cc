#include "crypto/pairing/qr.h"

#include "core/base/flat.h"
#include "crypto/identity/display.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

constexpr kj::StringPtr SCHEME = "HEARTH1:"_kj;
constexpr uint8_t VERSION = 1;

QrHint readHint(FlatReader& in) {
  auto family = in.u8();
  if (family != 4 && family != 6) in.refuse();
  QrHint hint;
  hint.address.addAll(in.bytes(family == 4 ? 4 : 16));
  hint.port = in.u16();
  return hint;
}

}  // namespace

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
  writer.u8(VERSION).u8(0).bytes(commitment.asBytes()).bytes(secret.reveal());
  writer.u8(static_cast<uint8_t>(hints.size()));
  for (auto& hint: hints) {
    KJ_REQUIRE(hint.address.size() == 4 || hint.address.size() == 16, hint.address.size());
    writer.u8(hint.address.size() == 4 ? 4 : 6).bytes(hint.address).u16(hint.port);
  }
  return writer.finish();
}

kj::String qrText(Bytes payload) { return kj::str(SCHEME, base32(payload)); }

Result<QrOffer> readQr(kj::StringPtr text) {
  if (!text.startsWith(SCHEME)) return no(Errc::BAD_FORMAT, "no code of a Hearth device");
  auto payload = parseBase32(text.slice(SCHEME.size()));
  if (!payload) return no(payload.error());
  FlatReader in(*payload);
  bool current = in.u8() == VERSION;
  if (in.u8() != 0) in.refuse();
  auto commitment = in.id<Digest>();
  auto secret = QrSecret::from(in.bytes(QrSecret::SIZE));
  kj::Vector<QrHint> hints;
  auto count = in.count8(QR_HINTS_MAX, 1 + 4 + 2);
  for (size_t i = 0; i < count; ++i) hints.add(readHint(in));
  if (auto whole = in.finish(); !whole) return no(whole.error());
  if (!current) return no(Errc::BAD_VERSION, "a code of another version of Hearth");
  return QrOffer{commitment, kj::mv(*secret), kj::mv(hints)};
}

}  // namespace hearth::crypto
