#pragma once
// hearth-bench recon: what it costs two devices to find out what each of them lacks of a large set of
// operations.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct ReconOptions {
  uint64_t operations = 1'000'000;  // that both have
  uint64_t differing = 100;         // that one of them has, half each, anywhere in time
  uint32_t rounds = 5;
};

// {"ok": whether each was told exactly what the other lacks, "wire_bytes": of all messages, "round_trips",
//  "cpu_s": of both sides, "set_up_cpu_s": to fill both sets, "rss_mib": of the process with both sets};
// medians over the rounds, each with other names, in a process of its own.
nlohmann::json measureRecon(const ReconOptions& options);

}  // namespace hearth::bench
