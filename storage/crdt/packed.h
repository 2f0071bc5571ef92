#pragma once
// Bytes in fewer bytes, by zstd where that helps.
//
//   u8 0 | bytes        or        u8 1 | number of bytes (varint) | a zstd frame

#include "core/base/result.h"

#include <kj/array.h>

#include <string>
#include <string_view>

namespace hearth::storage {

std::string packed(std::string_view bytes, int level);

// Errors: BAD_FORMAT; LIMIT_EXCEEDED when they would be more than `most`.
Result<std::string> unpacked(std::string_view bytes, size_t most);

}  // namespace hearth::storage
