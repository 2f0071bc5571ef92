#pragma once
// The English word list of BIP-39: 2048 words, 11 bits each, in alphabetical order. Recovery words
// and pairing codes are made of them.

#include <kj/string.h>

#include <cstdint>

namespace hearth::crypto {

constexpr size_t WORD_COUNT = 2048;
constexpr size_t WORD_BITS = 11;
constexpr size_t WORD_CHARACTERS_MAX = 8;

// Requires index < WORD_COUNT.
kj::StringPtr wordAt(size_t index);

// Lower case only.
kj::Maybe<uint16_t> indexOfWord(kj::ArrayPtr<const char> word);

}  // namespace hearth::crypto
