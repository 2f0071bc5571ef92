#include "crypto/handshake/noise-cipher.h"

#include "crypto/primitives/aead.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

class ChaCha final: public NoiseCipher {
 public:
  kj::StringPtr name() const override { return "ChaChaPoly"; }
  void seal(
      Bytes key, uint64_t n, Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out) const override {
    ChaChaPoly::seal(key, counterNonce<ChaChaPoly::Nonce>(n), ad, plain, out);
  }
  bool open(
      Bytes key, uint64_t n, Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) const override {
    return ChaChaPoly::open(key, counterNonce<ChaChaPoly::Nonce>(n), ad, sealed, out).has_value();
  }
};

}  // namespace

const NoiseCipher& chaChaPoly() {
  static const ChaCha instance;
  return instance;
}

Result<void> CipherState::seal(Bytes ad, Bytes plain, kj::ArrayPtr<kj::byte> out) {
  if (n == NONCE_RESERVED) return no(Errc::KEYS_EXPIRED, "a key's counter has run out");
  cipher.seal(key.reveal(), n++, ad, plain, out);
  return {};
}

Result<Buffer> CipherState::seal(Bytes ad, Bytes plain) {
  auto out = kj::heapArray<kj::byte>(plain.size() + NoiseCipher::TAG_BYTES);
  if (auto sealed = seal(ad, plain, out); !sealed) return no(sealed.error());
  return kj::mv(out);
}

Result<Buffer> CipherState::open(Bytes ad, Bytes sealed) {
  if (n == NONCE_RESERVED) return no(Errc::KEYS_EXPIRED, "a key's counter has run out");
  if (sealed.size() < NoiseCipher::TAG_BYTES) {
    return no(Errc::DECRYPT_FAILED, "shorter than a tag");
  }
  auto out = kj::heapArray<kj::byte>(sealed.size() - NoiseCipher::TAG_BYTES);
  if (auto opened = open(ad, sealed, out); !opened) return no(opened.error());
  return kj::mv(out);
}

Result<void> CipherState::open(Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) {
  if (n == NONCE_RESERVED) return no(Errc::KEYS_EXPIRED, "a key's counter has run out");
  KJ_REQUIRE(sealed.size() == out.size() + NoiseCipher::TAG_BYTES);
  if (!cipher.open(key.reveal(), n, ad, sealed, out)) {
    return no(Errc::DECRYPT_FAILED, "a tag does not match");
  }
  ++n;
  return {};
}

void CipherState::rekey() {
  static constexpr kj::byte ZEROS[NoiseCipher::KEY_BYTES] = {};
  Scratch<NoiseCipher::KEY_BYTES + NoiseCipher::TAG_BYTES> sealed;
  cipher.seal(key.reveal(), NONCE_RESERVED, nullptr, ZEROS, sealed.writable());
  key.assign(sealed.reveal().slice(0, NoiseCipher::KEY_BYTES));
}

}  // namespace hearth::crypto
