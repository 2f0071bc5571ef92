#include "crypto/primitives/envelope.h"

#include "core/base/flat.h"

#include <kj/debug.h>

namespace hearth::crypto {

Result<Envelope> readEnvelope(SigType type, Bytes bytes, size_t bodyBytesMax) {
  FlatReader reader(bytes);
  if (reader.var8() != nameOf(type).asBytes()) reader.refuse();
  Envelope envelope{.body = reader.var32(bodyBytesMax)};
  auto count = reader.count8(Envelope::SIGNERS_MAX, DeviceId::SIZE + Signature::SIZE);
  if (count == 0) reader.refuse();
  for (size_t i = 0; i < count; ++i) {
    auto signer = reader.id<DeviceId>();
    envelope.signatures.add(Signed{signer, reader.id<Signature>()});
  }
  if (auto end = reader.finish(); !end) return no(end.error());
  return kj::mv(envelope);
}

Buffer writeEnvelope(SigType type, Bytes body, kj::ArrayPtr<const Signed> signatures) {
  KJ_REQUIRE(signatures.size() >= 1 && signatures.size() <= Envelope::SIGNERS_MAX);
  FlatWriter writer;
  writer.var8(nameOf(type).asBytes()).var32(body).u8(static_cast<uint8_t>(signatures.size()));
  for (auto& each: signatures) {
    writer.bytes(each.signer.asBytes()).bytes(each.signature.asBytes());
  }
  return writer.finish();
}

Buffer sealEnvelope(SigType type, Bytes body, const DeviceId& signer, const SignSecret& secret) {
  Signed one{signer, sign(secret, type, body)};
  return writeEnvelope(type, body, kj::arrayPtr(&one, 1));
}

}  // namespace hearth::crypto
