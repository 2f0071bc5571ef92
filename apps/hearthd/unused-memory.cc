#include "apps/hearthd/unused-memory.h"

#include <kj/debug.h>

#include <malloc.h>

namespace hearth::apps {

UnusedMemory::UnusedMemory(storage::Store& store, kj::Timer& timer, Executor& aside)
    : store(store),
      timer(timer),
      aside(aside),
      returning(run().eagerlyEvaluate([](kj::Exception&& e) {
        KJ_LOG(WARNING, "memory that is not used is kept", e.getDescription());
      })) {}

kj::Promise<void> UnusedMemory::run() {
  for (;;) {
    co_await store.changed();
    co_await timer.afterDelay(RETURNED_AFTER);
    co_await aside.execute([]() { malloc_trim(0); });
  }
}

}  // namespace hearth::apps
