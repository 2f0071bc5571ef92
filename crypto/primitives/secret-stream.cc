#include "crypto/primitives/secret-stream.h"

#include <kj/debug.h>

#include <sodium.h>

namespace hearth::crypto {

namespace {

using State = crypto_secretstream_xchacha20poly1305_state;

constexpr size_t TAG_BYTES = 16;

State& stateOf(kj::byte* state) { return *reinterpret_cast<State*>(state); }

static_assert(alignof(State) == 1);
static_assert(SecretStream::KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(SecretStream::MORE_BYTES == crypto_secretstream_xchacha20poly1305_ABYTES);
static_assert(SecretStream::Header::SIZE == crypto_secretstream_xchacha20poly1305_HEADERBYTES);

}  // namespace

// Sealing and opening begin alike. libsodium's way to begin sealing would draw the header itself.
SecretStream::SecretStream(Bytes key, const Header& header) {
  static_assert(sizeof(State) == STATE_BYTES);
  static_assert(offsetof(State, nonce) == NONCE_AT);
  static_assert(sizeof(State::nonce) == COUNTER_BYTES + LINK_BYTES);
  KJ_REQUIRE(key.size() == KEY_BYTES, key.size());
  crypto_secretstream_xchacha20poly1305_init_pull(&stateOf(state), header.bytes, key.begin());
  memcpy(start, state, STATE_BYTES);
}

SecretStream::~SecretStream() {
  wipe(kj::arrayPtr(state, STATE_BYTES));
  wipe(kj::arrayPtr(start, STATE_BYTES));
}

void SecretStream::seal(Bytes ad, Bytes plain, bool last, kj::ArrayPtr<kj::byte> out) {
  KJ_REQUIRE(out.size() == plain.size() + MORE_BYTES);
  auto tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                  : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  crypto_secretstream_xchacha20poly1305_push(&stateOf(state), out.begin(), nullptr, plain.begin(),
      plain.size(), ad.begin(), ad.size(), static_cast<unsigned char>(tag));
}

Result<bool> SecretStream::open(Bytes ad, Bytes sealed, kj::ArrayPtr<kj::byte> out) {
  if (sealed.size() < MORE_BYTES) return no(Errc::DECRYPT_FAILED, "shorter than a tag");
  KJ_REQUIRE(out.size() == sealed.size() - MORE_BYTES);
  unsigned char tag;
  if (crypto_secretstream_xchacha20poly1305_pull(&stateOf(state), out.begin(), nullptr, &tag,
          sealed.begin(), sealed.size(), ad.begin(), ad.size()) != 0) {
    wipe(out);
    return no(Errc::DECRYPT_FAILED, "a tag does not match");
  }
  return tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
}

SecretStream::Link SecretStream::linkOf(Bytes lastBytesOfSealed) {
  KJ_REQUIRE(lastBytesOfSealed.size() >= TAG_BYTES);
  Link link;
  memcpy(link.data(), lastBytesOfSealed.end() - TAG_BYTES, LINK_BYTES);
  return link;
}

void SecretStream::add(Link& links, const Link& next) {
  for (size_t i = 0; i < LINK_BYTES; ++i) links[i] ^= next[i];
}

// The nonce is a counter from 1 and the first nonce with all links added, until the counter wraps or a message
// asks for another key, which only the last does.
void SecretStream::seek(uint32_t index, const Link& links) {
  auto counter = Little(index + 1);
  memcpy(state, start, STATE_BYTES);
  memcpy(state + NONCE_AT, counter.asBytes().begin(), COUNTER_BYTES);
  for (size_t i = 0; i < LINK_BYTES; ++i) state[NONCE_AT + COUNTER_BYTES + i] ^= links[i];
}

}  // namespace hearth::crypto
