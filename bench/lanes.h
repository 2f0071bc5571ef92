#pragma once
// hearth-bench lanes: live frames over a link, first alone, then while bulk streams take all that the link
// can carry.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct LanesOptions {
  double seconds = 3;  // of each kind in a round
  uint32_t rounds =
      3;  // idle and loaded by turns, over one link; all frames of a kind count together
};

// {"idle_p50_us", "idle_p99_us", "loaded_p50_us", "loaded_p99_us": from the write of a live frame to its
//  being read in the other process; "delta_ms": of the p99s; "frames": that were sent;
//  "bulk_gb_s": what bulk carried meanwhile; "rss_mib": the greater peak of the two}
nlohmann::json measureLanes(const LanesOptions& options);

}  // namespace hearth::bench
