#include "crypto/primitives/passphrase.h"

#include <kj/debug.h>

#include <sodium.h>

namespace hearth::crypto {

static_assert(PassphraseSalt::SIZE == crypto_pwhash_SALTBYTES);

StretchCost StretchCost::moderate() {
  return {crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE};
}

bool StretchCost::isBearable() const {
  return passes >= crypto_pwhash_OPSLIMIT_MIN && passes <= PASSES_MAX &&
      memoryBytes >= MEMORY_BYTES_MIN && memoryBytes <= MEMORY_BYTES_MAX;
}

Result<PassphraseKey> stretch(
    const Secret& passphrase, const PassphraseSalt& salt, const StretchCost& cost) {
  KJ_REQUIRE(cost.isBearable());
  auto text = passphrase.reveal();
  bool done = true;
  auto key = PassphraseKey::make([&](kj::ArrayPtr<kj::byte> out) {
    done = crypto_pwhash(out.begin(), out.size(), reinterpret_cast<const char*>(text.begin()),
               text.size(), salt.bytes, cost.passes, cost.memoryBytes,
               crypto_pwhash_ALG_ARGON2ID13) == 0;
  });
  if (!done) return no(Errc::LIMIT_EXCEEDED, "too little memory for the passphrase's key");
  return key;
}

}  // namespace hearth::crypto
