#pragma once
// PADME (Nikitin et al., PETS 2019): sizes that tell little, at a price of at most 12 %, less the larger they are.

#include <cstdint>

namespace hearth::storage {

// The least padded size that holds `bytes`: with E = floor(log2 L) and S = floor(log2 E) + 1, the next multiple of
// 2^(E-S). Requires that it is at most 2^62.
uint64_t padded(uint64_t bytes);

}  // namespace hearth::storage
