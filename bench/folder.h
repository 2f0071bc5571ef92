#pragma once
// hearth-bench folder: a directory that two real daemons keep the same, over loopback and on real disks, as people
// change it on one of them. Every figure ends when the other's file is whole and its hash the same; the CPU and the
// wire are those of both daemons until they have nothing to do any more.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hearth::bench {

struct FolderOptions {
  uint32_t mib = 1'024;           // of the large file
  uint32_t files = 10'000;        // of 4 KiB
  uint32_t many = 200'000;        // of 512 bytes, in a folder of their own
  uint32_t changes = 200;         // of a file of 100 bytes
  double idleS = 60;              // for which both are watched doing nothing
  std::vector<std::string> only;  // of FOLDER_PARTS; empty: all
};

extern const std::vector<std::string> FOLDER_PARTS;

// What was asked for of {"one_gib": a file of --mib that is moved in, "append": 1 MiB to it, "scattered": 82 blocks
//  of 128 KiB rewritten in it, "insert": one byte in front of it, "small_files": written in place, each
//  {"wall_s": from the change's begin on, "making_s": that the change itself took of it, "cpu_s", "wire_mib"},
//  "change_p50_ms", "change_p99_ms", "idle_wakeups_min": of the daemon that wakes more often,
//  "idle_wakeups_before_min": the same without a folder, "rss_idle_mib", "rss_peak_mib": of the larger daemon,
//  "many": {"scan_s", "scan_cpu_s", "wall_s": until the other has them all, "cpu_s", "rss_mib", "rss_peak_mib",
//  "restart_s": from a daemon's start until it says "up to date", the slower one's, "restart_cpu_s": its own}},
// and "own_loopback": whether all that went over it was theirs.
nlohmann::json measureFolder(const FolderOptions& options);

}  // namespace hearth::bench
