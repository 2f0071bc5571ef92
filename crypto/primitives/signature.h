#pragma once
// Ed25519 over typed messages. What is signed is never the bare body but
// PAE(type, body) (DSSE), so that a signature made for one purpose is worth nothing for another.
//
//   PAE = "DSSEv1 " || dec(len(type)) || " " || type || " " || dec(len(body)) || " " || body

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

// Every type there is. A verifier passes the type it expects, never the one it received.
enum class SigType : uint8_t {
  BUNDLE,
  JOIN,
  OP,
  HEARTBEAT,
  EVIDENCE,
  RECEIPT,
  PLUGIN,
  HEAD,
  APP,
  DATA,
  CLIP,
};

// "hearth/bundle/v1" for BUNDLE, and so on.
kj::StringPtr nameOf(SigType type);
kj::Maybe<SigType> sigTypeOf(kj::StringPtr name);

using SignPublic = Id<struct SignPublicTag, 32>;
using Signature = Id<struct SignatureTag, 64>;
using SignSeed = Key<struct SignSeedTag, 32>;
using SignSecret = Key<struct SignSecretTag, 64>;

struct SignPair {
  SignSecret secret;
  SignPublic pk;

  static SignPair fromSeed(const SignSeed& seed);
};

Buffer pae(SigType type, Bytes body);
Signature sign(const SignSecret& secret, SigType type, Bytes body);

// False as well for small-order keys and non-canonical signatures.
bool verify(const SignPublic& pk, SigType type, Bytes body, const Signature& signature);

}  // namespace hearth::crypto
