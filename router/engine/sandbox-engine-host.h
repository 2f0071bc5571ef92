#pragma once
// The Engine seam's real side: plugin processes in their sandboxes (Linux).

#include "router/engine/engine.h"
#include "router/engine/sandbox/launcher.h"

#include <kj/async-io.h>
#include <kj/function.h>
#include <kj/timer.h>

namespace hearth::engine {

class SandboxEngineHost final: public EngineHost, private kj::TaskSet::ErrorHandler {
 public:
  // Makes a stream of a connected, non-blocking socket; reads with read(2), never recvmsg(2).
  using WrapSocket = kj::Function<kj::Own<kj::AsyncIoStream>(kj::AutoCloseFd)>;

  // `timer` outlives the host. Must be used on the thread that lives longest: plugins die with the
  // thread that has started them.
  SandboxEngineHost(kj::Timer& timer, WrapSocket wrapSocket);

  kj::Promise<Result<kj::Own<Engine>>> start(
      const Bundle& bundle, const EngineGrants& grants) override;

 private:
  friend class SandboxEngine;

  kj::Timer& timer;
  WrapSocket wrapSocket;
  kj::TaskSet burials;  // processes that are killed and not yet reaped

  void bury(Launched process);
  void taskFailed(kj::Exception&& exception) override;
};

}  // namespace hearth::engine
