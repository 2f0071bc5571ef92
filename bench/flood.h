#pragma once
// hearth-bench flood: what strangers cost who call by UDP from spoofed addresses, and whether a device of
// the circle gets through meanwhile (SECURITY.md T15, goal G6).

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct FloodOptions {
  double seconds = 60;
  uint32_t rate = 10'000;  // calls a second, of all kinds together
};

// A device serves links on UDP in a process of its own. Calls come to it from addresses all over
// 127.0.0.0/8, by turns: with a wrong mac1; with a right one, as one who knows the device but does not
// receive at his address; and packets of no conversation. Another device connects to it again and again.
//
// {"rate": calls sent a second; "sent", "cpu_share": CPU seconds of the device for each second, the honest
//  connections included; "quiet_cpu_share": the same without a flood; "rss_extra_mib": its peak above what
//  it had before; "honest": connections; "failed"; "p50_ms", "p95_ms", "most_ms": from the call to the end of
//  the handshake; "quiet_p50_ms", "quiet_p95_ms"; "answered": cookies that came back to strangers}
nlohmann::json measureFlood(const FloodOptions& options);

}  // namespace hearth::bench
