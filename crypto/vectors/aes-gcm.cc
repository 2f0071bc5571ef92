#include "crypto/vectors/aes-gcm.h"

#include <kj/debug.h>

#include <mbedtls/gcm.h>

namespace hearth::crypto {

namespace {

class Context final {
 public:
  explicit Context(Bytes key) {
    mbedtls_gcm_init(&context);
    KJ_REQUIRE(mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key.begin(), 256) == 0);
  }
  ~Context() { mbedtls_gcm_free(&context); }
  KJ_DISALLOW_COPY_AND_MOVE(Context);
  mbedtls_gcm_context* get() { return &context; }

 private:
  mbedtls_gcm_context context;
};

struct Nonce {
  kj::byte bytes[12] = {};
  explicit Nonce(uint64_t n) {
    for (size_t i = 0; i < 8; ++i) bytes[4 + i] = static_cast<kj::byte>(n >> (8 * (7 - i)));
  }
};

class AesGcm final: public NoiseCipher {
 public:
  kj::StringPtr name() const override { return "AESGCM"; }

  void seal(
      Bytes key, uint64_t n, Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out) const override {
    Nonce nonce(n);
    KJ_REQUIRE(mbedtls_gcm_crypt_and_tag(Context(key).get(), MBEDTLS_GCM_ENCRYPT, plain.size(),
                   nonce.bytes, sizeof(nonce.bytes), ad.begin(), ad.size(), plain.begin(),
                   out.begin(), TAG_BYTES, out.begin() + plain.size()) == 0);
  }

  bool open(
      Bytes key, uint64_t n, Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) const override {
    Nonce nonce(n);
    auto bytes = sealed.size() - TAG_BYTES;
    return mbedtls_gcm_auth_decrypt(Context(key).get(), bytes, nonce.bytes, sizeof(nonce.bytes),
               ad.begin(), ad.size(), sealed.begin() + bytes, TAG_BYTES, sealed.begin(),
               out.begin()) == 0;
  }
};

}  // namespace

const NoiseCipher& aesGcm() {
  static const AesGcm instance;
  return instance;
}

}  // namespace hearth::crypto
