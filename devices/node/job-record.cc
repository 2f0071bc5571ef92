#include "devices/node/job-record.h"

#include <nlohmann/json.hpp>

namespace hearth::devices {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobRecord::Candidate, device, chosen, reason)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    JobRecord::Placement, stage, task, device, plugin, attempt, candidates)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(JobRecord::Event, atMs, kind, stage, device, attempt, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    JobRecord, id, workload, state, startedMs, endedMs, pieces, message, placements, events)

kj::Array<kj::byte> encode(const JobRecord& record) {
  auto text = nlohmann::json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return kj::heapArray<kj::byte>(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

Result<JobRecord> decodeJobRecord(kj::ArrayPtr<const kj::byte> bytes) {
  try {
    return nlohmann::json::parse(bytes.begin(), bytes.end()).get<JobRecord>();
  } catch (const nlohmann::json::exception&) {
    return no(Errc::BAD_FORMAT, "a job's record that cannot be read");
  }
}

}  // namespace hearth::devices
