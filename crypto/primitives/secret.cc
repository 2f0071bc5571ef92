#include "crypto/primitives/secret.h"

#include "crypto/primitives/locked-memory.h"

#include <kj/debug.h>

#include <cstring>
#include <sodium.h>
#include <utility>

namespace hearth::crypto {

void wipe(kj::ArrayPtr<kj::byte> bytes) { sodium_memzero(bytes.begin(), bytes.size()); }

bool equalSecrets(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.begin(), b.begin(), a.size()) == 0;
}

Secret::Secret(size_t size): start(nullptr), length(size) {
  KJ_REQUIRE(size <= BYTES_MAX, size);
  start = LockedMemory::shared().lockExclusive()->allocate(size);
}

Secret Secret::copyOf(Bytes source) {
  Secret secret(source.size());
  if (source.size() > 0) memcpy(secret.start, source.begin(), source.size());
  return secret;
}

Secret::~Secret() noexcept(false) {
  if (start != nullptr) LockedMemory::shared().lockExclusive()->free(start, length);  // wipes
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
