#pragma once
// Small files for this user's eyes alone: written whole or not at all, on disk before the call
// returns.

#include "crypto/primitives/bytes.h"

#include <kj/filesystem.h>

namespace hearth::devices {

constexpr size_t PRIVATE_FILE_BYTES_MAX = 64 << 10;

// None when there is no such file.
kj::Maybe<crypto::Buffer> readPrivate(const kj::Directory& home, kj::PathPtr path);

// Replaces the file atomically; makes its folder.
void writePrivate(const kj::Directory& home, kj::PathPtr path, crypto::Bytes content);

}  // namespace hearth::devices
