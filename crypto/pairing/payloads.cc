#include "crypto/pairing/payloads.h"

#include "core/base/flat.h"
#include "crypto/primitives/envelope.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

namespace hearth::crypto {

Buffer writeIntroduction(Bytes bundleEnvelope, const PairContribution& contribution) {
  FlatWriter writer;
  writer.var16(bundleEnvelope).bytes(contribution.asBytes());
  return writer.finish();
}

Result<PairIntroduction> readIntroduction(Bytes payload) {
  FlatReader reader(payload);
  auto envelope = reader.var16(Bundle::ENVELOPE_BYTES);
  auto contribution = reader.id<PairContribution>();
  if (auto end = reader.finish(); !end) return no(end.error());
  auto bundle = Bundle::open(envelope);
  if (!bundle) return no(bundle.error());
  return PairIntroduction{*bundle, kj::heapArray<kj::byte>(envelope), contribution};
}

Buffer writeOffer(const PairOffer& offer) {
  FlatWriter writer;
  writer.bytes(offer.circle.asBytes()).u8(static_cast<uint8_t>(offer.role));
  writer.bytes(offer.admin.asBytes()).var32(offer.genesis);
  return writer.finish();
}

Result<PairOffer> readOffer(Bytes body) {
  FlatReader reader(body);
  auto circle = reader.id<CircleId>();
  auto role = reader.u8();
  auto admin = reader.id<DeviceId>();
  auto genesis = reader.var32(GENESIS_BYTES_MAX);
  if (!isRole(role)) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  auto op = readEnvelope(SigType::OP, genesis, GENESIS_BYTES_MAX);
  if (!op) return no(op.error());
  if (hashAs<CircleId>("hearth/circle/v1", {op->body}) != circle) {
    return no(Errc::COMMIT_MISMATCH, "a circle that is not that of its Genesis");
  }
  return PairOffer{circle, static_cast<Role>(role), admin, genesis};
}

Buffer writeHints(kj::ArrayPtr<const PairHint> hints) {
  KJ_REQUIRE(hints.size() <= PAIRING_HINTS_MAX, hints.size());
  FlatWriter writer;
  writer.u8(static_cast<uint8_t>(hints.size()));
  for (auto& hint: hints) writer.bytes(hint.device.asBytes()).var8(hint.address.asBytes());
  return writer.finish();
}

Result<kj::Vector<PairHint>> readHints(Bytes body) {
  FlatReader reader(body);
  auto count = reader.count8(PAIRING_HINTS_MAX, DeviceId::SIZE + 1);
  kj::Vector<PairHint> hints;
  for (size_t i = 0; i < count; ++i) {
    auto device = reader.id<DeviceId>();
    auto address = reader.var8();
    if (address.size() == 0) reader.refuse();
    for (auto c: address) {
      if (c <= ' ' || c > '~') reader.refuse();
    }
    hints.add(PairHint{device, kj::heapString(address.asChars())});
  }
  if (auto end = reader.finish(); !end) return no(end.error());
  return kj::mv(hints);
}

}  // namespace hearth::crypto
