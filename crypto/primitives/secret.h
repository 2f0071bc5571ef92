#pragma once
// Where secrets live: memory between guard pages, locked into RAM where the system allows it
// (locked-memory.h), that is wiped when it is freed. A secret moves, but is not copied, compared or
// printed by accident: whoever wants its bytes says reveal().
//
//   Secret               bytes of any length (a passphrase, a plaintext key file)
//   Key<Purpose, N>      N bytes for one purpose, so that no key serves two: Key<struct LinkPsk>
//   Scratch<N>           N bytes on the stack for the length of one function, wiped at its end

#include "core/base/result.h"
#include "core/entropy/entropy.h"
#include "crypto/primitives/bytes.h"

#include <kj/common.h>

#include <concepts>
#include <cstring>

namespace hearth::crypto {

// Overwrites `bytes` with zeros in a way that the compiler may not leave out.
void wipe(kj::ArrayPtr<kj::byte> bytes);

// In constant time for equal lengths; a difference in length shows at once.
bool equalSecrets(Bytes a, Bytes b);

class Secret final {
 public:
  static constexpr size_t BYTES_MAX = 1 << 20;

  // All zeros, to be filled. Requires size <= BYTES_MAX.
  explicit Secret(size_t size);
  static Secret copyOf(Bytes source);
  ~Secret() noexcept(false);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  KJ_DISALLOW_COPY(Secret);

  size_t size() const { return length; }
  Bytes reveal() const { return kj::arrayPtr(start, length); }
  kj::ArrayPtr<kj::byte> writable() { return kj::arrayPtr(start, length); }

 private:
  kj::byte* start;  // null after a move
  size_t length;
};

template <typename Purpose, size_t N = 32>
class Key final {
 public:
  static constexpr size_t SIZE = N;

  // Errors: BAD_LENGTH unless exactly SIZE bytes are given. The source stays with the caller, who
  // wipes it.
  static Result<Key> from(Bytes source) {
    if (source.size() != N) return no(Errc::BAD_LENGTH, "a key of another length");
    return Key(Secret::copyOf(source));
  }

  static Key draw(Entropy& entropy) {
    return make([&](kj::ArrayPtr<kj::byte> out) { entropy.fill(out); });
  }

  // A key whose SIZE bytes `fill` writes.
  template <std::invocable<kj::ArrayPtr<kj::byte>> F>
  static Key make(F&& fill) {
    Secret secret(N);
    fill(secret.writable());
    return Key(kj::mv(secret));
  }

  // The same bytes for a narrower purpose, without a copy: a link's PSK as the psk of one handshake.
  template <typename Other>
    requires(Other::SIZE == N)
  Other intoPurpose() && {
    return Other(kj::mv(secret));
  }

  // Overwrites the key in its place: cheaper than a new one. Requires exactly SIZE bytes.
  void assign(Bytes source) {
    KJ_IREQUIRE(source.size() == N);
    memcpy(secret.writable().begin(), source.begin(), N);
  }
  void clear() { wipe(secret.writable()); }

  Bytes reveal() const { return secret.reveal(); }
  bool equals(const Key& other) const { return equalSecrets(reveal(), other.reveal()); }

 private:
  template <typename, size_t>
  friend class Key;
  Secret secret;

  explicit Key(Secret secret): secret(kj::mv(secret)) {}
};

template <size_t N>
class Scratch final {
 public:
  Scratch() = default;
  ~Scratch() { wipe(kj::arrayPtr(bytes, N)); }
  KJ_DISALLOW_COPY_AND_MOVE(Scratch);

  kj::byte* begin() { return bytes; }
  Bytes reveal() const { return kj::arrayPtr(bytes, N); }
  kj::ArrayPtr<kj::byte> writable() { return kj::arrayPtr(bytes, N); }

 private:
  kj::byte bytes[N] = {};
};

}  // namespace hearth::crypto
