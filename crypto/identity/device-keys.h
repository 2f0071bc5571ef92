#pragma once
// The three key pairs of a device, all drawn from one root seed that never leaves it:
//
//   ed   Ed25519   signs ops, evidence, receipts
//   x    X25519    Noise static key, used for nothing else
//   xw   X-Wing    receives sealed secrets, used for nothing else
//
// The device is called by the hash of its three public keys.

#include "crypto/primitives/exchange.h"
#include "crypto/primitives/signature.h"

namespace hearth::crypto {

using RootSeed = Key<struct RootSeedTag, 32>;

struct PublicKeys {
  SignPublic ed;
  DhPublic x;
  XWing::Public xw;

  DeviceId id() const;
  bool operator==(const PublicKeys&) const = default;
};

struct DeviceKeys {
  SignSecret ed;
  DhSecret x;
  XWing::Secret xw;
  PublicKeys publics;
  DeviceId id;

  static DeviceKeys fromRootSeed(const RootSeed& seed);
};

}  // namespace hearth::crypto
