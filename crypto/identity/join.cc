#include "crypto/identity/join.h"

#include "core/base/flat.h"
#include "crypto/primitives/envelope.h"

namespace hearth::crypto {

Buffer Join::body() const {
  FlatWriter writer;
  writer.bytes(circle.asBytes()).bytes(bundle.asBytes()).bytes(admin.asBytes());
  writer.u8(static_cast<uint8_t>(role));
  return writer.finish();
}

Buffer Join::seal(const DeviceKeys& joiner) const {
  return sealEnvelope(SigType::JOIN, body(), joiner.id, joiner.ed);
}

Result<Join> Join::open(Bytes envelope, const Bundle& joiner) {
  auto read = readEnvelope(SigType::JOIN, envelope, BODY_BYTES);
  if (!read) return no(read.error());
  FlatReader reader(read->body);
  Join join{reader.id<CircleId>(), reader.id<BundleHash>(), reader.id<DeviceId>()};
  auto role = reader.u8();
  if (!isRole(role)) reader.refuse();
  join.role = static_cast<Role>(role);
  if (auto end = reader.finish(); !end) return no(end.error());
  if (read->signatures.size() != 1 || read->signatures[0].signer != joiner.id() ||
      !verify(joiner.keys.ed, SigType::JOIN, read->body, read->signatures[0].signature)) {
    return no(Errc::BAD_SIGNATURE, "a consent to join that the device did not sign");
  }
  if (join.bundle != joiner.hash()) {
    return no(Errc::COMMIT_MISMATCH, "a consent to join for another bundle");
  }
  return join;
}

}  // namespace hearth::crypto
