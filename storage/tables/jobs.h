#pragma once
// Records of jobs that this device has coordinated; what is in a record is its writer's affair.

#include "storage/sql/database.h"

#include <string>
#include <vector>

namespace hearth::storage {

struct JobRow {
  std::string id;         // hex
  int64_t startedMs = 0;  // Unix time
  crypto::Buffer record;
};

namespace jobs {

constexpr size_t KEPT_MAX = 1'000;  // the oldest go first

// Stores a job, or its newer record.
void put(Database& db, const JobRow& row);

// Newest first.
std::vector<JobRow> newest(Database& db, uint32_t most);

// Those whose id begins so; at most two, which is enough to see that a prefix is not unique.
std::vector<JobRow> find(Database& db, kj::StringPtr prefix);

}  // namespace jobs
}  // namespace hearth::storage
