#pragma once
// hearth-bench map: two real daemons each set many keys of one map while neither hears of the other, and then merge
// over their link.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct MapOptions {
  uint32_t sets = 100'000;  // on each device, keys of its own
  uint32_t calls = 1;  // by which they are set: each is a map within the map, and a transaction
};

// {"ok": both have all keys, and still after kill -9, "set_cpu_s": of both daemons while they set, on disk included,
//  "merge_cpu_s": from one's start until neither has anything to do, "cpu_s": both, "wire_bytes": of the merge, both
//  directions, handshake, headers and acknowledgements included, "merge_wall_s": until the first has the other's,
//  "rss_peak_mib": of the larger daemon, "own_loopback"}.
nlohmann::json measureMap(const MapOptions& options);

}  // namespace hearth::bench
