#pragma once
// What a device may do in its circle.

#include <cstdint>

namespace hearth::crypto {

enum class Role : uint8_t {
  ADMIN = 1,   // phone, laptop: signs changes of the circle
  MEMBER = 2,  // watch, GPU box
  VAULT = 3,   // keeps ciphertext, reads nothing
};

constexpr bool isRole(uint8_t value) { return value >= 1 && value <= 3; }

}  // namespace hearth::crypto
