#include "crypto/primitives/exchange.h"

#include <kj/debug.h>

#include <sodium.h>

namespace hearth::crypto {

static_assert(MlKem::CIPHERTEXT_BYTES == crypto_kem_mlkem768_CIPHERTEXTBYTES);
static_assert(MlKem::Public::SIZE == crypto_kem_mlkem768_PUBLICKEYBYTES);
static_assert(MlKem::Secret::SIZE == crypto_kem_mlkem768_SECRETKEYBYTES);
static_assert(XWing::CIPHERTEXT_BYTES == crypto_kem_xwing_CIPHERTEXTBYTES);
static_assert(XWing::Public::SIZE == crypto_kem_xwing_PUBLICKEYBYTES);
static_assert(XWing::Secret::SIZE == crypto_kem_xwing_SECRETKEYBYTES);

DhPublic publicOf(const DhSecret& secret) {
  DhPublic pk;
  crypto_scalarmult_curve25519_base(pk.bytes, secret.reveal().begin());
  return pk;
}

Result<void> agree(const DhSecret& own, const DhPublic& peer, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(out.size() == DhShared::SIZE, out.size());
  if (crypto_scalarmult_curve25519(out.begin(), own.reveal().begin(), peer.bytes) != 0) {
    wipe(out);
    return no(Errc::SMALL_ORDER, "the peer's X25519 point is of small order");
  }
  return {};
}

Result<DhShared> agree(const DhSecret& own, const DhPublic& peer) {
  Result<void> agreed;
  auto shared = DhShared::make([&](kj::ArrayPtr<kj::byte> out) { agreed = agree(own, peer, out); });
  if (!agreed) return no(agreed.error());
  return kj::mv(shared);
}

MlKem::Pair MlKem::generate(const KeySeed& seed) {
  Public pk;
  auto secret = Secret::make([&](kj::ArrayPtr<kj::byte> out) {
    crypto_kem_mlkem768_seed_keypair(pk.bytes, out.begin(), seed.reveal().begin());
  });
  return {kj::mv(secret), pk};
}

Result<MlKem::Encapsulated> MlKem::encapsulate(const Public& pk, const EncapsSeed& seed) {
  int status = 0;
  auto ciphertext = kj::heapArray<kj::byte>(CIPHERTEXT_BYTES);
  auto shared = Shared::make([&](kj::ArrayPtr<kj::byte> out) {
    status = crypto_kem_mlkem768_enc_deterministic(
        ciphertext.begin(), out.begin(), pk.bytes, seed.reveal().begin());
  });
  if (status != 0) return no(Errc::BAD_FORMAT, "an ML-KEM public key with unreduced coefficients");
  return Encapsulated{kj::mv(ciphertext), kj::mv(shared)};
}

Result<MlKem::Shared> MlKem::decapsulate(const Secret& secret, Bytes ciphertext) {
  if (ciphertext.size() != CIPHERTEXT_BYTES) {
    return no(Errc::BAD_LENGTH, "an ML-KEM ciphertext of another length");
  }
  return Shared::make([&](kj::ArrayPtr<kj::byte> out) {
    (void)crypto_kem_mlkem768_dec(out.begin(), ciphertext.begin(), secret.reveal().begin());
  });
}

XWing::Public XWing::publicOf(const Secret& secret) {
  Public pk;
  Scratch<crypto_kem_xwing_SECRETKEYBYTES> copy;  // libsodium writes the seed there
  crypto_kem_xwing_seed_keypair(pk.bytes, copy.begin(), secret.reveal().begin());
  return pk;
}

Result<XWing::Encapsulated> XWing::encapsulate(const Public& pk, const EncapsSeed& seed) {
  int status = 0;
  auto ciphertext = kj::heapArray<kj::byte>(CIPHERTEXT_BYTES);
  auto shared = Shared::make([&](kj::ArrayPtr<kj::byte> out) {
    status = crypto_kem_xwing_enc_deterministic(
        ciphertext.begin(), out.begin(), pk.bytes, seed.reveal().begin());
  });
  if (status != 0) return no(Errc::BAD_FORMAT, "an X-Wing public key that cannot be used");
  return Encapsulated{kj::mv(ciphertext), kj::mv(shared)};
}

Result<XWing::Shared> XWing::decapsulate(const Secret& secret, Bytes ciphertext) {
  if (ciphertext.size() != CIPHERTEXT_BYTES) {
    return no(Errc::BAD_LENGTH, "an X-Wing ciphertext of another length");
  }
  int status = 0;
  auto shared = Shared::make([&](kj::ArrayPtr<kj::byte> out) {
    status = crypto_kem_xwing_dec(out.begin(), ciphertext.begin(), secret.reveal().begin());
  });
  if (status != 0) return no(Errc::SMALL_ORDER, "an X-Wing ciphertext with a point of small order");
  return kj::mv(shared);
}

}  // namespace hearth::crypto
