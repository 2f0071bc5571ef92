#include "core/loop/executor.h"

#include <kj/debug.h>

namespace hearth {

kj::Promise<void> InlineExecutor::execute(kj::Function<void()> work) {
  return kj::evalLater(kj::mv(work)).eagerlyEvaluate(nullptr);
}

ThreadExecutor::ThreadExecutor(): thread([this]() { run(); }) {
  started.when([](auto& ready) { return ready != nullptr; }, [](auto&) {});
}

ThreadExecutor::~ThreadExecutor() noexcept(false) {
  KJ_ASSERT_NONNULL(*started.lockExclusive()).stop->fulfill();
}

kj::Promise<void> ThreadExecutor::execute(kj::Function<void()> work) {
  return KJ_ASSERT_NONNULL(*started.lockShared()).executor->executeAsync(kj::mv(work));
}

void ThreadExecutor::run() {
  kj::EventLoop loop;
  kj::WaitScope scope(loop);
  auto stop = kj::newPromiseAndCrossThreadFulfiller<void>();
  *started.lockExclusive() =
      Started{kj::getCurrentThreadExecutor().addRef(), kj::mv(stop.fulfiller)};
  stop.promise.wait(scope);
}

}  // namespace hearth
