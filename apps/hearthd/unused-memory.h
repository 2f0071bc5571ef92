#pragma once
// What much work has needed and freed the allocator keeps: of a folder of 200,000 files more than is in use. The system
// gets it back some seconds after the work was written down.

#include "core/loop/executor.h"
#include "storage/sql/store.h"

#include <kj/timer.h>

namespace hearth::apps {

class UnusedMemory final {
 public:
  static constexpr kj::Duration RETURNED_AFTER = 5 * kj::SECONDS;

  // All outlive this object. What takes some milliseconds runs on `aside`.
  UnusedMemory(storage::Store& store, kj::Timer& timer, Executor& aside);
  KJ_DISALLOW_COPY_AND_MOVE(UnusedMemory);

 private:
  storage::Store& store;
  kj::Timer& timer;
  Executor& aside;
  kj::Promise<void> returning;

  kj::Promise<void> run();
};

}  // namespace hearth::apps
