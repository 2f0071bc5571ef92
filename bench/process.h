#pragma once
// What this process has used so far, and a process of its own for each thing that is measured, so that
// none finds memory that another has left.

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <sys/types.h>
#include <vector>

namespace hearth::bench {

double cpuS();   // of all threads
double wallS();  // since some moment
double rssPeakMib();
double rssPeakMib(pid_t process);
size_t mappings();  // regions of memory: the kernel allows 65,530 (vm.max_map_count)

// What `measure` returns in a child of this process. Throws when the child throws or dies.
nlohmann::json inOwnProcess(const std::function<nlohmann::json()>& measure);

// Each figure's median over rounds that tell the same keys, all of them numbers.
nlohmann::json medians(const std::vector<nlohmann::json>& rounds);

}  // namespace hearth::bench
