#pragma once
// This device's part in everybody's jobs: starts the stages that coordinators lease from it, and
// brings edge streams and stages together.

#include "router/run/run.capnp.h"
#include "router/run/stage-runner.h"

#include <map>

namespace hearth::router {

class Executor final: public EdgeDialer {
 public:
  static constexpr size_t STAGES_MAX = 64;  // sinks aside, which Jobs counts
  static constexpr Error NO_ROOM = {
      Errc::LIMIT_EXCEEDED, "the device runs as many stages as it may"_kj};
  // An edge stream whose consumer says nothing is dropped after this.
  static constexpr kj::Duration RESUME_WITHIN = 5 * kj::SECONDS;

  // Streams to other devices, by link. Waits while there is none: a consumer asks once.
  class Peers {
   public:
    virtual kj::Promise<kj::Own<kj::AsyncIoStream>> openEdge(
        const DeviceId& device, kj::Array<const kj::byte> header) = 0;
  };

  // A stage that runs here; destroying it stops it.
  class Running final: private StageRunner::Observer {
   public:
    Running(Executor& executor, StageRunner::Order order, kj::Own<PreparedStage> prepared,
        rpc::StageWatch::Client watch);
    ~Running() noexcept(false);
    KJ_DISALLOW_COPY_AND_MOVE(Running);

    StageRunner& runner() { return stage; }

   private:
    Executor& executor;
    std::pair<JobId, StageIndex> key;
    rpc::StageWatch::Client watch;
    kj::TaskSet& reports;
    StageRunner stage;

    void stageStarted() override;
    void firstFrameAccepted() override;
    void report(rpc::Moment moment);
  };

  // All outlive the executor. `clock` dates reports.
  Executor(
      kj::Timer& timer, const kj::Clock& clock, DeviceId self, StageBodies& bodies, Peers& peers);
  ~Executor() noexcept(false);

  // For coordinators on other devices, and the one on this: the device that orders stages by it.
  rpc::StageHost::Client host(const DeviceId& coordinator);

  // Starts a stage without a lease: the sink of a job that is coordinated here.
  kj::Own<Running> start(
      StageRunner::Order order, kj::Own<PreparedStage> prepared, rpc::StageWatch::Client watch);

  // Errors: LIMIT_EXCEEDED, and those of StageBodies.
  kj::Promise<Result<kj::Own<PreparedStage>>> prepare(
      rpc::StageOrder::Kind kind, const StageSpec& spec);

  // A consumer on another device has opened a stream with this header.
  void acceptEdge(kj::ArrayPtr<const kj::byte> header, kj::Own<kj::AsyncIoStream> stream);

  kj::Promise<kj::Own<kj::AsyncIoStream>> dial(
      const DeviceId& device, const EdgeHeader& header) override;

  size_t stagesRunning() const { return running; }
  bool hasRoom() const { return running < STAGES_MAX; }
  void addTo(Holdings& holdings) const;
  kj::Timer& time() { return timer; }

 private:
  class Reports;
  kj::Timer& timer;
  const kj::Clock& clock;
  DeviceId self;
  StageBodies& bodies;
  Peers& peers;
  std::map<std::pair<JobId, StageIndex>, Running*> stages;  // the newest attempt of each
  size_t running = 0;                                       // older attempts as well
  kj::Own<kj::TaskSet::ErrorHandler> quiet;
  kj::TaskSet tasks;

  kj::Promise<void> welcome(EdgeHeader header, kj::Own<kj::AsyncIoStream> stream);
};

}  // namespace hearth::router
