#pragma once
// What all streams of hearth-bench stream do alike.

#include "bench/process.h"
#include "bench/served.h"

#include <kj/array.h>

#include <algorithm>
#include <unistd.h>

namespace hearth::bench {

constexpr size_t STREAM_WRITE_BYTES = 64 << 10;  // of one write, and of one read's buffer

// 64 KiB that do not compress into a pattern of the cache's.
inline kj::Array<kj::byte> streamPiece() {
  auto piece = kj::heapArray<kj::byte>(STREAM_WRITE_BYTES);
  for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<kj::byte>(i * 31 + (i >> 8));
  return piece;
}

// Counts from its making until the last byte has been read and said to have been.
struct StreamCost {
  const Served& server;
  double wall = wallS(), cpu = cpuS() + server.cpuS();

  nlohmann::json tell(uint64_t bytes) const {
    auto gb = static_cast<double>(bytes) / 1e9;
    return {{"cpu_s_per_gb", (cpuS() + server.cpuS() - cpu) / gb}, {"gb_s", gb / (wallS() - wall)},
        {"rss_mib", std::max(rssPeakMib(getpid()), server.rssPeakMib())}};
  }
};

}  // namespace hearth::bench
