#pragma once
// What is remembered of a job: where it ran, why there, what happened. Kept as JSON in the database,
// without a word of what was said in it.

#include "core/base/ids.h"

#include <kj/array.h>

#include <string>
#include <vector>

namespace hearth::devices {

struct JobRecord {
  // Of one job; a job that meets more trouble than this keeps its first and loses its last.
  static constexpr size_t EVENTS_MAX = 2'000;

  struct Candidate {
    std::string device;
    bool chosen = false;
    std::string reason;
    bool operator==(const Candidate&) const = default;
  };
  struct Placement {
    std::string stage, task, device, plugin;
    uint32_t attempt = 0;
    std::vector<Candidate> candidates;
    bool operator==(const Placement&) const = default;
  };
  struct Event {
    int64_t atMs = 0;
    std::string kind, stage, device;
    uint32_t attempt = 0;
    std::string message;
    bool operator==(const Event&) const = default;
  };

  std::string id;  // hex
  std::string workload;
  std::string state = "running";
  int64_t startedMs = 0;
  int64_t endedMs = 0;
  uint64_t pieces = 0;
  std::string message;
  std::vector<Placement> placements;
  std::vector<Event> events;

  bool operator==(const JobRecord&) const = default;
};

kj::Array<kj::byte> encode(const JobRecord& record);
// Errors: BAD_FORMAT.
Result<JobRecord> decodeJobRecord(kj::ArrayPtr<const kj::byte> bytes);

}  // namespace hearth::devices
