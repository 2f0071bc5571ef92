#include "crypto/identity/bundle.h"

#include "core/base/flat.h"
#include "crypto/primitives/envelope.h"
#include "crypto/primitives/hash.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {
constexpr uint8_t VERSION = 1;
constexpr uint8_t SUITE = 1;

bool isPlatform(uint8_t value) { return (value >= 1 && value <= 7) || value == 255; }
}  // namespace

Buffer Bundle::body() const {
  FlatWriter writer;
  writer.u8(VERSION).u8(SUITE).u8(static_cast<uint8_t>(platform)).u8(0);
  writer.u32(flags).u32(version);
  writer.bytes(keys.ed.asBytes()).bytes(keys.x.asBytes()).bytes(keys.xw.asBytes());
  return writer.finish();
}

BundleHash Bundle::hash() const { return crypto::hash("hearth/bundle-hash/v1", {body()}); }

Buffer Bundle::seal(const DeviceKeys& own) const {
  KJ_REQUIRE(own.publics == keys, "a bundle is signed by its own device");
  return sealEnvelope(SigType::BUNDLE, body(), own.id, own.ed);
}

Result<Bundle> Bundle::parse(Bytes body) {
  FlatReader reader(body);
  auto version = reader.u8(), suite = reader.u8(), platform = reader.u8(), reserved = reader.u8();
  if (reader.good() && (version != VERSION || suite != SUITE)) {
    return no(Errc::BAD_VERSION, "a bundle of another version or suite");
  }
  Bundle bundle{static_cast<Platform>(platform), reader.u32(), reader.u32(),
      {reader.id<SignPublic>(), reader.id<DhPublic>(), reader.id<XWing::Public>()}};
  if (!isPlatform(platform) || reserved != 0 || bundle.version == 0) reader.refuse();
  if ((bundle.flags & ~FLAGS_ALL) != 0) reader.refuse();
  if (auto end = reader.finish(); !end) return no(end.error());
  return bundle;
}

Result<Bundle> Bundle::open(Bytes envelope) {
  auto read = readEnvelope(SigType::BUNDLE, envelope, BODY_BYTES);
  if (!read) return no(read.error());
  auto bundle = parse(read->body);
  if (!bundle) return no(bundle.error());
  if (read->signatures.size() != 1 || read->signatures[0].signer != bundle->id() ||
      !verify(bundle->keys.ed, SigType::BUNDLE, read->body, read->signatures[0].signature)) {
    return no(Errc::BAD_SIGNATURE, "a bundle that its own device did not sign");
  }
  return bundle;
}

}  // namespace hearth::crypto
