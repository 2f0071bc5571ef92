#include "router/engine/sandbox-engine-host.h"

#include "router/engine/sandbox-engine.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::engine {

namespace {

constexpr auto REAP_PAUSE_MAX = 256 * kj::MILLISECONDS;

Quotas capped(const Quotas& asked, const Quotas& most) {
  return {std::min(asked.memoryMib, most.memoryMib), std::min(asked.cpuS, most.cpuS),
      std::min(asked.wallS, most.wallS), std::min(asked.descriptors, most.descriptors),
      std::min(asked.threads, most.threads), std::min(asked.outputKib, most.outputKib),
      std::min(asked.jobsPerMinute, most.jobsPerMinute)};
}

kj::Promise<void> reap(Launched process, kj::Timer& timer) {
  process.kill();
  for (auto pause = 1 * kj::MILLISECONDS; process.tryReap() == nullptr;
      pause = std::min(pause * 2, REAP_PAUSE_MAX)) {
    co_await timer.afterDelay(pause);
  }
}

}  // namespace

SandboxEngineHost::SandboxEngineHost(kj::Timer& timer, WrapSocket wrapSocket)
    : timer(timer),
      wrapSocket(kj::mv(wrapSocket)),
      burials(*this) {}

kj::Promise<Result<kj::Own<Engine>>> SandboxEngineHost::start(
    const Bundle& bundle, const EngineGrants& grants) {
  auto quotas = capped(bundle.manifest().quotas, grants.quotasMax);
  auto process = launch(bundle, quotas);
  if (!process) co_return no(process.error());
  auto stream = wrapSocket(kj::mv(process->control));
  auto engine = kj::heap<SandboxEngine>(*this, bundle, quotas, kj::mv(*process), kj::mv(stream));
  auto ready = co_await engine->whenReady();
  if (!ready) {
    KJ_IF_MAYBE(ending, engine->ending()) KJ_LOG(WARNING, "a plugin did not start", ending->report);
    co_return no(ready.error());
  }
  co_return kj::Own<Engine>(kj::mv(engine));
}

void SandboxEngineHost::bury(Launched process) { burials.add(reap(kj::mv(process), timer)); }

void SandboxEngineHost::taskFailed(kj::Exception&& exception) {
  KJ_LOG(ERROR, "a plugin process could not be reaped", exception);
}

}  // namespace hearth::engine
