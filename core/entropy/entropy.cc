#include "core/entropy/entropy.h"

#include <kj/debug.h>

#include <sodium.h>

namespace hearth {

SystemEntropy::SystemEntropy() { KJ_REQUIRE(sodium_init() >= 0, "libsodium cannot start"); }

void SystemEntropy::fill(kj::ArrayPtr<kj::byte> out) { randombytes_buf(out.begin(), out.size()); }

}  // namespace hearth
