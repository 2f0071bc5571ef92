#pragma once
// Coordinates one job on the device of its sink: carries out what the JobMachine decides, holds the
// leases of the stages on other devices, and runs the sink's own stage.

#include "router/run/executor.h"
#include "router/run/job-machine.h"

namespace hearth::router {

// A workload made ready to run: the stages in the graph's order, with the one sink among them.
struct JobSpec {
  struct Stage {
    JobStage stage;
    std::string task;
    std::string params;  // JSON
  };
  struct Edge {
    StageIndex from = 0;
    uint8_t fromPort = 0;
    StageIndex to = 0;
    uint8_t toPort = 0;
  };

  JobId id;
  std::vector<Stage> stages;
  std::vector<Edge> edges;
};

class JobRunner final: private kj::TaskSet::ErrorHandler {
 public:
  static constexpr kj::Duration LEASE = 3 * kj::SECONDS;
  static constexpr kj::Duration RENEW_EVERY = 1 * kj::SECONDS;

  // The fleet, as the node sees it.
  class Fleet {
   public:
    virtual rpc::StageHost::Client stageHost(const DeviceId& device) = 0;
  };

  class Observer {
   public:
    // One more line for the job's record; atMs is Unix time.
    virtual void noted(const JobNote& note, int64_t atMs) = 0;
  };

  // All references outlive the runner. `sink` is opened when the job starts.
  JobRunner(JobSpec spec, JobMachine::Placer placer, DeviceId self, Executor& executor,
      const kj::Clock& clock, Fleet& fleet, Observer& observer, kj::Own<PreparedStage> sink);
  ~JobRunner() noexcept(false);

  void begin();
  void lost(const DeviceId& device);
  void fleetChanged();
  void cancel();
  void giveUp(std::string because);

  const JobMachine& machine() const { return decisions; }
  const JobSpec& spec() const { return job; }

  // Unix time at the source's media time 0, once it runs.
  kj::Maybe<int64_t> sourceStartedMs() const { return sourceStart; }

  // Resolves when the job is over; machine() says how. May be called once.
  kj::Promise<void> over() { return kj::mv(overPaf.promise); }

 private:
  class Watch;
  struct WeakSelf;
  struct Held {
    uint32_t attempt = 0;
    kj::Maybe<rpc::RunningStage::Client> lease;   // of a stage elsewhere, or under this host
    kj::Maybe<kj::Own<Executor::Running>> local;  // the sink
    kj::Promise<void> watching = nullptr;
  };

  JobSpec job;
  DeviceId self;
  Executor& executor;
  const kj::Clock& clock;
  Fleet& fleet;
  Observer& observer;
  kj::Maybe<kj::Own<PreparedStage>> sink;
  JobMachine decisions;
  kj::PromiseFulfillerPair<void> overPaf;
  kj::Maybe<int64_t> sourceStart;
  kj::Own<WeakSelf> weakSelf;
  std::map<StageIndex, Held> held;
  kj::TaskSet tasks;

  int64_t nowMs() const;
  void carryOut(JobMachine::Effects effects);
  kj::Promise<void> startAndRewire(JobMachine::Effects effects);
  kj::Promise<void> startStage(StageIndex stage, uint32_t attempt);
  void startSink(StageIndex stage, uint32_t attempt);
  kj::Promise<void> rewireSince(StageIndex stage, std::vector<EdgeSource> told);
  kj::Promise<void> rewire(size_t edge);
  kj::Promise<void> keep(StageIndex stage, uint32_t attempt, rpc::RunningStage::Client lease);
  kj::Promise<void> renew(rpc::RunningStage::Client lease);
  void stageOver(StageIndex stage, uint32_t attempt, Result<void> how);
  void reported(StageIndex stage, uint32_t attempt, rpc::Moment moment, int64_t atMs);
  void writeOrder(const StageRunner::Order& order, rpc::StageOrder::Builder out);
  kj::Maybe<EdgeSource> sourceOf(size_t edge) const;
  StageRunner::Order orderFor(StageIndex stage, uint32_t attempt) const;
  rpc::StageWatch::Client watchOf(StageIndex stage, uint32_t attempt);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::router
