#include "crypto/primitives/secret.h"

#include <kj/debug.h>

#include <cstring>
#include <sodium.h>
#include <utility>

namespace hearth::crypto {

void wipe(kj::ArrayPtr<kj::byte> bytes) { sodium_memzero(bytes.begin(), bytes.size()); }

bool equalSecrets(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.begin(), b.begin(), a.size()) == 0;
}

namespace {
// sodium_malloc needs sodium_init before its first use; further calls of it return at once.
kj::byte* allocate(size_t size) {
  KJ_REQUIRE(sodium_init() >= 0, "libsodium cannot start");
  auto start = static_cast<kj::byte*>(sodium_malloc(size));
  KJ_ASSERT(start != nullptr, "no memory for a secret", size);
  sodium_memzero(start, size);
  return start;
}
}  // namespace

Secret::Secret(size_t size): start(nullptr), length(size) {
  KJ_REQUIRE(size <= BYTES_MAX, size);
  start = allocate(size);
}

Secret Secret::copyOf(Bytes source) {
  Secret secret(source.size());
  if (source.size() > 0) memcpy(secret.start, source.begin(), source.size());
  return secret;
}

Secret::~Secret() noexcept(false) {
  if (start != nullptr) sodium_free(start);  // wipes
}

Secret::Secret(Secret&& other) noexcept
    : start(std::exchange(other.start, nullptr)),
      length(std::exchange(other.length, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(start, other.start);
  std::swap(length, other.length);
  return *this;
}

}  // namespace hearth::crypto
