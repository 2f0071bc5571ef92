#pragma once
// Runs one attempt of one stage on this device: waits for its consumers, opens the body where they
// go on, feeds it from its producers, numbers and keeps what it makes, and passes commits back.

#include "router/run/checkpoints.h"
#include "router/run/edge-receiver.h"
#include "router/run/edge-sender.h"
#include "router/run/stage-body.h"

namespace hearth::router {

class StageRunner final: private EdgeSender::Owner {
 public:
  struct OutputSpec {
    EdgeIndex edge = 0;
    uint8_t port = 0;
  };

  struct Order {
    StageSpec spec;
    uint32_t attempt = 0;
    std::vector<EdgeSource> inputs;  // by input port
    std::vector<OutputSpec> outputs;
  };

  // What the coordinator wants to know as it happens.
  class Observer {
   public:
    virtual void stageStarted() = 0;
    virtual void firstFrameAccepted() = 0;
  };

  // `timer`, `dialer` and `observer` outlive the runner. Destroying it stops the stage.
  StageRunner(Order order, kj::Own<PreparedStage> prepared, kj::Timer& timer, EdgeDialer& dialer,
      Observer& observer);

  // A consumer's stream for one of the outputs. Errors: UNKNOWN_PEER for an edge that is not this
  // stage's, and those of EdgeSender::attach; STALE also ends the stage.
  Result<void> attach(
      EdgeIndex edge, uint32_t attempt, Resume resume, kj::Own<kj::AsyncIoStream> stream);

  // The producer of an input is elsewhere now. An edge that is not this stage's is ignored.
  void rewire(EdgeSource source);

  // Resolves when the stage is over: with nothing when its stream has ended and all of it is
  // committed, else with what went wrong.
  kj::Promise<Result<void>> ended() { return endedPromise.addBranch(); }

  uint32_t attempt() const { return order.attempt; }
  void addTo(Holdings& holdings) const;

 private:
  Order order;
  kj::Own<PreparedStage> prepared;
  kj::Timer& timer;
  Observer& observer;
  std::vector<kj::Own<EdgeSender>> senders;
  std::vector<kj::Own<EdgeReceiver>> receivers;
  kj::Maybe<Checkpoints> checkpoints;
  kj::Own<StageBody> body;
  uint64_t outSeq = 0;
  bool outputEnded = false;
  bool accepted = false;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> allAttached;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> spaceAgain;
  kj::Own<kj::PromiseFulfiller<Result<void>>> endedFulfiller;
  kj::ForkedPromise<Result<void>> endedPromise;
  EdgeDialer& dialer;
  kj::Promise<void> running;

  kj::Promise<void> run();
  kj::Promise<void> waitForConsumers();
  Resume oldestResume() const;
  kj::Promise<Result<void>> open();
  kj::Promise<Result<void>> feed(size_t port);
  kj::Promise<Result<void>> drain();
  Result<void> publish(StageBody::Output&& output);
  bool anyFull() const;
  void edgeCommitted() override;
  void passCommit(const std::vector<uint64_t>& inUpto);
  void finish(Result<void> how);
};

}  // namespace hearth::router
