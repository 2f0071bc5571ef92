#include "crypto/identity/device-keys.h"

#include "crypto/primitives/hash.h"

namespace hearth::crypto {

DeviceId PublicKeys::id() const {
  return hashAs<DeviceId>("hearth/id/v1", {ed.asBytes(), x.asBytes(), xw.asBytes()});
}

DeviceKeys DeviceKeys::fromRootSeed(const RootSeed& seed) {
  auto ed = SignPair::fromSeed(derive<SignSeed>(seed.reveal(), "hearth/dev/ed/v1"));
  auto x = derive<DhSecret>(seed.reveal(), "hearth/dev/x/v1");
  auto xw = derive<XWing::Secret>(seed.reveal(), "hearth/dev/xw/v1");
  PublicKeys publics{ed.pk, publicOf(x), XWing::publicOf(xw)};
  return {kj::mv(ed.secret), kj::mv(x), kj::mv(xw), publics, publics.id()};
}

}  // namespace hearth::crypto
