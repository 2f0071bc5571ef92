#include "crypto/primitives/aead.h"

#include <kj/debug.h>

#include <sodium.h>

namespace hearth::crypto {

namespace {

using EncryptFn = decltype(&crypto_aead_chacha20poly1305_ietf_encrypt);
using DecryptFn = decltype(&crypto_aead_chacha20poly1305_ietf_decrypt);

template <typename Algorithm>
struct Functions;

template <>
struct Functions<ChaChaPolyTag> {
  static constexpr EncryptFn ENCRYPT = &crypto_aead_chacha20poly1305_ietf_encrypt;
  static constexpr DecryptFn DECRYPT = &crypto_aead_chacha20poly1305_ietf_decrypt;
};

template <>
struct Functions<XChaChaPolyTag> {
  static constexpr EncryptFn ENCRYPT = &crypto_aead_xchacha20poly1305_ietf_encrypt;
  static constexpr DecryptFn DECRYPT = &crypto_aead_xchacha20poly1305_ietf_decrypt;
};

template <>
struct Functions<Aegis256Tag> {
  static constexpr EncryptFn ENCRYPT = &crypto_aead_aegis256_encrypt;
  static constexpr DecryptFn DECRYPT = &crypto_aead_aegis256_decrypt;
};

static_assert(ChaChaPoly::Nonce::SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES);
static_assert(ChaChaPoly::TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(XChaChaPoly::Nonce::SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(XChaChaPoly::TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(Aegis256::Nonce::SIZE == crypto_aead_aegis256_NPUBBYTES);
static_assert(Aegis256::TAG_BYTES == crypto_aead_aegis256_ABYTES);

}  // namespace

template <typename A, size_t N, size_t T>
void Aead<A, N, T>::seal(
    Bytes key, const Nonce& nonce, Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(key.size() == KEY_BYTES && out.size() == plain.size() + T);
  Functions<A>::ENCRYPT(out.begin(), nullptr, plain.begin(), plain.size(), ad.begin(), ad.size(),
      nullptr, nonce.bytes, key.begin());
}

template <typename A, size_t N, size_t T>
Buffer Aead<A, N, T>::seal(Bytes key, const Nonce& nonce, Bytes ad, Bytes plain) {
  auto out = kj::heapArray<kj::byte>(plain.size() + T);
  seal(key, nonce, ad, plain, out);
  return out;
}

template <typename A, size_t N, size_t T>
Result<void> Aead<A, N, T>::open(
    Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(key.size() == KEY_BYTES);
  if (sealed.size() < T) return no(Errc::DECRYPT_FAILED, "shorter than a tag");
  KJ_REQUIRE(out.size() == sealed.size() - T);
  if (Functions<A>::DECRYPT(out.begin(), nullptr, nullptr, sealed.begin(), sealed.size(),
          ad.begin(), ad.size(), nonce.bytes, key.begin()) != 0) {
    wipe(out);
    return no(Errc::DECRYPT_FAILED, "a tag does not match");
  }
  return {};
}

template <typename A, size_t N, size_t T>
Result<Buffer> Aead<A, N, T>::open(Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed) {
  auto out = kj::heapArray<kj::byte>(sealed.size() < T ? 0 : sealed.size() - T);
  if (auto opened = open(key, nonce, ad, sealed, out); !opened) return no(opened.error());
  return kj::mv(out);
}

template <typename A, size_t N, size_t T>
Result<Secret> Aead<A, N, T>::openSecret(Bytes key, const Nonce& nonce, Bytes ad, Bytes sealed) {
  Secret out(sealed.size() < T ? 0 : sealed.size() - T);
  if (auto opened = open(key, nonce, ad, sealed, out.writable()); !opened) {
    return no(opened.error());
  }
  return kj::mv(out);
}

// As libsodium chooses its AEGIS.
bool cpuHasAes() {
  KJ_REQUIRE(sodium_init() >= 0, "libsodium cannot start");
  return (sodium_runtime_has_aesni() && sodium_runtime_has_avx()) || sodium_runtime_has_armcrypto();
}

template struct Aead<ChaChaPolyTag, 12, 16>;
template struct Aead<XChaChaPolyTag, 24, 16>;
template struct Aead<Aegis256Tag, 32, 32>;

}  // namespace hearth::crypto
