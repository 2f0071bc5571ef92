#pragma once
// `hearth place`: an instance of the form router-instance/1 in, an answer out, both as JSON text.
//
//   devices[]: active_w, idle_w, tx_j_per_byte, rx_j_per_byte, memory_bytes (absent: unlimited)
//   links: bandwidth_Bps[a][b], latency_s[a][b]; the diagonal is not looked at
//   tasks[]: exec_s[per device] (null: may not run there), memory_bytes, model
//   edges[]: from, to, bytes
//   answer: {"device": [...], "order": [...], "decision_us": N}

#include "core/base/result.h"
#include "router/place/problem.h"

#include <kj/time.h>

#include <string>

namespace hearth::router {

constexpr size_t INSTANCE_BYTES_MAX = 64 << 20;

// Errors: BAD_FORMAT for text that is no instance (which field), LIMIT_EXCEEDED.
Result<Problem> parseInstance(const std::string& json);

// `clock` measures decision_us: the planning alone. Errors: those of parseInstance();
// QUOTA_EXCEEDED when no placement fits the devices.
Result<std::string> placeInstance(const std::string& json, const kj::MonotonicClock& clock);

}  // namespace hearth::router
