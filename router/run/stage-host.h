#pragma once
// The RPC face of the executor: StageHost and RunningStage of run.capnp.

#include "router/run/executor.h"

namespace hearth::router {

// The Error that a failed RPC stands for, as far as a kj::Exception can carry one.
Error errorOf(const kj::Exception& failure);

// What is said of a stage that another device reports as over, by the code it gives. Its own words
// stay in its log.
Error stageEnd(Errc code);

class StageHostServer final: public rpc::StageHost::Server {
 public:
  static constexpr kj::Duration LEASE_MIN = 500 * kj::MILLISECONDS;
  static constexpr kj::Duration LEASE_MAX = 60 * kj::SECONDS;
  static constexpr size_t TEXT_BYTES_MAX = 64 << 10;  // of a task's name or parameters

  StageHostServer(Executor& executor, const DeviceId& coordinator)
      : executor(executor),
        coordinator(coordinator) {}
  kj::Promise<void> start(StartContext context) override;

 private:
  Executor& executor;
  DeviceId coordinator;
};

}  // namespace hearth::router
