#pragma once
// hearth-bench trace: how long real people's editing takes, what it takes to keep it with its whole history,
// and how fast it is read again. Traces are those of the field's benchmarks (github josephg/editing-traces).

#include <nlohmann/json.hpp>
#include <string>

namespace hearth::bench {

struct TraceOptions {
  std::string file;  // JSON, gzip or plain
  uint32_t rounds = 3;
};

// {"ok": whether every round ended with the content that the file says, "edits", "apply_cpu_ms",
//  "save_cpu_ms", "load_cpu_ms", "bytes": saved, with the whole history, "rss_delta_mib": above what the
//  process held before, at the end of applying}; medians over the rounds, each in a process of its own.
// Every patch of the file is an edit of its own. Throws when the file cannot be read.
nlohmann::json measureTrace(const TraceOptions& options);

}  // namespace hearth::bench
