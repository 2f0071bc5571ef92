#pragma once
// What a folder of very many files costs: looked at for the first time, held in memory, and after a restart.

#include "bench/real-pair.h"

namespace hearth::bench {

// The part "many" of hearth-bench folder, in two new directories below `directory`.
nlohmann::json measureManyFiles(RealPair& pair, const std::string& directory, uint32_t count);

}  // namespace hearth::bench
