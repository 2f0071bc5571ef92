#pragma once
// A sequence of messages under one key, in one order (libsodium's secretstream, XChaCha20-Poly1305): none can be
// left out, repeated or moved, and the last says that it is the last. Each is `MORE_BYTES` longer sealed.
//
// The nonce of a message is made of the one before and its tag. So a reader can begin at any of them, if it has
// read the tags of those before it; it need not open them.

#include "core/base/ids.h"
#include "crypto/primitives/secret.h"

#include <array>

namespace hearth::crypto {

class SecretStream final {
 public:
  static constexpr size_t KEY_BYTES = 32, MORE_BYTES = 17, LINK_BYTES = 8;
  using Header = Id<struct SecretStreamHeaderTag, 24>;
  using Link = std::array<kj::byte, LINK_BYTES>;  // what a sealed message leaves to the next ones

  // At the first message. A header is random and used once with its key.
  SecretStream(Bytes key, const Header& header);
  ~SecretStream();
  KJ_DISALLOW_COPY_AND_MOVE(SecretStream);

  // `out` holds plain.size() + MORE_BYTES.
  void seal(Bytes ad, Bytes plain, bool last, kj::ArrayPtr<kj::byte> out);

  // `out` holds sealed.size() - MORE_BYTES, and is zero when there is an error. Gives whether it is the last.
  // Errors: DECRYPT_FAILED.
  Result<bool> open(Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out);

  // Goes to message `index`, `links` being those of all before it, each added to the ones before.
  static Link linkOf(Bytes lastBytesOfSealed);
  static void add(Link& links, const Link& next);
  void seek(uint32_t index, const Link& links);

 private:
  static constexpr size_t STATE_BYTES = 52, COUNTER_BYTES = 4, NONCE_AT = 32;

  kj::byte state[STATE_BYTES];
  kj::byte start[STATE_BYTES];  // at the first message; the last one changes the key
};

}  // namespace hearth::crypto
