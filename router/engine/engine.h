#pragma once
// The Engine seam: where inference runs. The real implementation starts a plugin's program in its
// sandbox (SandboxEngineHost); the simulator's has a modelled speed and crashes, hangs or lies.
//
// An Engine is one running instance. It serves one job at a time and is idle between jobs, its
// models loaded. Whatever comes out of it is checked against the protocol, and nothing more: its
// contents are the plugin's word.

#include "router/engine/bundle/bundle.h"
#include "router/engine/protocol/message.h"

#include <kj/async.h>

namespace hearth::engine {

class Engine {
 public:
  struct Output {
    EngineFrame frame;
    kj::Maybe<EngineCut> cut;
  };

  // Why the instance is no more.
  struct Ending {
    Error error;
    kj::String report;  // for the log: how it ended, and the plugin's own last words
  };

  // Begins a job. One at a time.
  // Errors: BAD_FORMAT when the plugin refuses task, parameters or state (the instance lives on:
  // close() and go on), else the Ending's.
  virtual kj::Promise<Result<void>> open(EngineJob job) = 0;

  // Resolves when the instance has room for the frame and has been sent it: at most
  // ENGINE_UNCONSUMED_MAX frames are under way. Frames of a port come in order, without gaps, END
  // last.
  // Errors: the plugin's own when it has failed the job, else the Ending's.
  virtual kj::Promise<Result<void>> write(EngineFrame frame) = 0;

  // The next output, numbered without gaps from nextOutSeq on. One read at a time. An instance that
  // is not read from comes to a stand, without harm.
  // Errors: as write(); STALE when the job is closed.
  virtual kj::Promise<Result<Output>> read() = 0;

  // The job is over, finished or not; what it still puts out is dropped. Without a job: nothing.
  // Errors: the Ending's.
  virtual kj::Promise<Result<void>> close() = 0;

  // Set once the instance has ended: of its own accord, or killed for breaking the protocol, its
  // quotas or its deadline. It is of no use then.
  virtual kj::Maybe<const Ending&> ending() const = 0;

  // CPU time used over its life.
  virtual kj::Duration cpuTime() const = 0;

  // Ends the instance.
  virtual ~Engine() noexcept(false) = default;
};

// What policy lets an instance have; the manifest's own quotas are capped by it.
struct EngineGrants {
  Quotas quotasMax = QUOTAS_MAX;
};

class EngineHost {
 public:
  // Starts an instance and resolves when it is ready: models loaded, sandbox closed. `bundle`
  // outlives the promise and the engine, and the host outlives both.
  // Errors: SANDBOX_UNAVAILABLE (names the step), INTEGRITY_FAILED (a file is not what the manifest
  // says; the plugin crashed), QUOTA_EXCEEDED (not ready in time), BAD_FORMAT, or the plugin's own.
  virtual kj::Promise<Result<kj::Own<Engine>>> start(
      const Bundle& bundle, const EngineGrants& grants) = 0;

  virtual ~EngineHost() noexcept(false) = default;
};

}  // namespace hearth::engine
