#include "devices/data/chunk-sweeping.h"

#include "storage/tables/chunk-places.h"

#include <kj/debug.h>

namespace hearth::devices {

ChunkSweeping::ChunkSweeping(kj::Timer& timer, storage::Store& store)
    : timer(timer),
      store(store),
      running(run().eagerlyEvaluate([](kj::Exception&& e) {
        KJ_LOG(WARNING, "places of files that are gone are not forgotten", e.getDescription());
      })) {}

kj::Promise<void> ChunkSweeping::run() {
  co_await timer.afterDelay(FIRST_AFTER);
  for (;;) {
    auto isMore = co_await store.write(
        [](storage::Database& db) { return storage::chunk_places::sweep(db, ROWS); });
    co_await timer.afterDelay(isMore ? REST : EVERY);
  }
}

}  // namespace hearth::devices
