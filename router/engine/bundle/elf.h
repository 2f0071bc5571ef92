#pragma once
// As much of ELF as a bundle has to know: is a program static, which loader and libraries does it
// ask for, is it for this machine. Hostile bytes: every offset is checked, every table bounded.

#include "core/base/result.h"

#include <kj/array.h>
#include <kj/function.h>

#include <string>
#include <vector>

namespace hearth::engine {

// Fills `out` from `offset` on; gives how many bytes there were.
using ReadAt = kj::Function<size_t(uint64_t offset, kj::ArrayPtr<kj::byte> out)>;

struct ElfFacts {
  static constexpr size_t HEADERS_MAX = 64;            // program headers
  static constexpr size_t DYNAMIC_BYTES_MAX = 16'384;  // of the dynamic section
  static constexpr size_t NAME_BYTES_MAX = 255;
  static constexpr size_t NEEDED_MAX = 64;

  kj::Maybe<std::string> loader;    // the path in PT_INTERP; none: a static program, or a library
  std::vector<std::string> needed;  // DT_NEEDED, in their order
};

// Errors: BAD_FORMAT (no 64-bit little-endian ELF for this machine, or damaged), LIMIT_EXCEEDED.
Result<ElfFacts> readElf(ReadAt& readAt);

}  // namespace hearth::engine
