#pragma once
// The jobs that this device coordinates: places their workloads over the fleet, runs them, keeps
// their records.

#include "core/trace/trace.h"
#include "devices/node/bodies.h"
#include "devices/node/fleet.h"
#include "devices/node/job-record.h"
#include "devices/node/text-sink.h"
#include "router/place/plan.h"
#include "router/run/job-runner.h"
#include "storage/sql/store.h"

namespace hearth::devices {

// The app on whose behalf a job runs.
class JobClient {
 public:
  struct Piece {
    TextPiece text;
    double latencyMs = -1;  // from the end of the speech; below 0: unknown
  };

  // Resolves when the app has the piece for good. An exception means that the app is gone.
  virtual kj::Promise<void> piece(Piece piece) = 0;
  virtual void event(const JobRecord::Event& event) = 0;
  virtual void ended(const JobRecord& record) = 0;

  // How loud the microphone of the job is, for an app that shows it.
  virtual bool wantsLevels() const { return false; }
  virtual void level(Level) {}
  virtual ~JobClient() noexcept(false) = default;
};

struct JobOrder {
  router::Workload workload;
  DeviceId source;                              // whose sensors are used
  std::map<std::string, Recording> recordings;  // in place of sensors, by stage
};

class Jobs final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr size_t RUNNING_MAX = 16;

  struct Parts {
    kj::Timer& timer;
    const kj::Clock& clock;
    Trace& trace;
    Entropy& entropy;
    storage::Store& store;
    const CircleKeeper& keeper;
    Fleet& fleet;
    Bodies& bodies;
    Levels& levels;
    router::Executor& executor;
    router::JobRunner::Fleet& hosts;
    transport::Links& links;
  };

  // Everything in `parts` outlives the jobs.
  explicit Jobs(Parts parts);
  ~Jobs() noexcept(false);

  // Errors: LIMIT_EXCEEDED; what this device was expelled for; STALE while this device may have missed its own removal. A job that cannot be placed ends at once, with its reason.
  Result<JobId> run(JobOrder order, kj::Own<JobClient> client);
  void cancel(const JobId& job);

  void lost(const DeviceId& device);
  void fleetChanged();

  // This device takes no part in its circle, and why: every job ends, and none begins any more.
  void expel(Error why);

  size_t running() const { return jobs.size(); }
  void addTo(Holdings& holdings) const;

  kj::Promise<std::vector<JobRecord>> newest(uint32_t most);
  // By the beginning of an id; empty: the newest. Errors: BAD_FORMAT when none or more than one fits.
  kj::Promise<Result<JobRecord>> find(std::string prefix);

 private:
  class Job;
  Parts parts;
  std::map<JobId, kj::Own<Job>> jobs;
  kj::Maybe<Error> expelled;
  kj::TaskSet tasks;

  void save(const JobRecord& record);
  void finished(const JobId& job);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
