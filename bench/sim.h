#pragma once
// hearth-bench sim: how fast the simulator's time passes, and how many devices fit in a process.

#include <nlohmann/json.hpp>
#include <string>

namespace hearth::bench {

struct SimOptions {
  std::string data = HEARTH_SIM_DATA;  // profiles, networks, scenarios
  uint64_t seed = 1;
  double days = 7;           // of the week; the first ones
  uint32_t devices = 1'000;  // of the crowd
  double crowdHours = 1;
};

// {"week": {virtual_s, cpu_s, times_real, quiet_hours, quiet_times_real, dictations, violations},
//  "four_devices": {virtual_s, cpu_s, times_real, dictations, violations},
//  "crowd": {devices, virtual_s, wall_s, cpu_s, rss_mib, mappings, dictations, violations,
//            set_up: {virtual_s, cpu_s}}}
// times_real: virtual seconds for each second of one core. quiet_times_real is null when no hour was
// quiet. The crowd's virtual_s is the story alone; its wall_s, cpu_s and rss_mib are of everything:
// pairing, story, healing, checks. Tells on stderr how far it is. Throws when a run cannot be made.
nlohmann::json measureSim(const SimOptions& options);

}  // namespace hearth::bench
