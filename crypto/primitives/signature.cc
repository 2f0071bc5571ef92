#include "crypto/primitives/signature.h"

#include <sodium.h>

namespace hearth::crypto {

namespace {
constexpr kj::StringPtr TYPES[] = {"hearth/bundle/v1"_kj, "hearth/join/v1"_kj, "hearth/op/v1"_kj,
    "hearth/heartbeat/v1"_kj, "hearth/evidence/v1"_kj, "hearth/receipt/v1"_kj,
    "hearth/plugin/v1"_kj, "hearth/head/v1"_kj, "hearth/app/v1"_kj, "hearth/data/v1"_kj,
    "hearth/clip/v1"_kj};
}  // namespace

kj::StringPtr nameOf(SigType type) { return TYPES[static_cast<size_t>(type)]; }

kj::Maybe<SigType> sigTypeOf(kj::StringPtr name) {
  for (size_t i = 0; i < kj::size(TYPES); ++i) {
    if (TYPES[i] == name) return static_cast<SigType>(i);
  }
  return nullptr;
}

SignPair SignPair::fromSeed(const SignSeed& seed) {
  SignPublic pk;
  auto secret = SignSecret::make([&](kj::ArrayPtr<kj::byte> out) {
    crypto_sign_ed25519_seed_keypair(pk.bytes, out.begin(), seed.reveal().begin());
  });
  return {kj::mv(secret), pk};
}

Buffer pae(SigType type, Bytes body) {
  auto name = nameOf(type);
  auto head = kj::str("DSSEv1 ", name.size(), ' ', name, ' ', body.size(), ' ');
  auto message = kj::heapArrayBuilder<kj::byte>(head.size() + body.size());
  message.addAll(head.asBytes());
  message.addAll(body);
  return message.finish();
}

Signature sign(const SignSecret& secret, SigType type, Bytes body) {
  auto message = pae(type, body);
  Signature signature;
  crypto_sign_ed25519_detached(
      signature.bytes, nullptr, message.begin(), message.size(), secret.reveal().begin());
  return signature;
}

bool verify(const SignPublic& pk, SigType type, Bytes body, const Signature& signature) {
  auto message = pae(type, body);
  return crypto_sign_ed25519_verify_detached(
             signature.bytes, message.begin(), message.size(), pk.bytes) == 0;
}

}  // namespace hearth::crypto
