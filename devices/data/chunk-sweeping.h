#pragma once
// Forgets where chunks were of files that are gone: a little at a time, now and then.

#include "storage/sql/store.h"

#include <kj/timer.h>

namespace hearth::devices {

class ChunkSweeping final {
 public:
  static constexpr kj::Duration FIRST_AFTER = 10 * kj::MINUTES, EVERY = 1 * kj::HOURS;
  // Others wait for the storage thread meanwhile.
  static constexpr size_t ROWS = 8'192;
  static constexpr kj::Duration REST = 100 * kj::MILLISECONDS;

  // Both outlive this object.
  ChunkSweeping(kj::Timer& timer, storage::Store& store);

 private:
  kj::Timer& timer;
  storage::Store& store;
  kj::Promise<void> running;

  kj::Promise<void> run();
};

}  // namespace hearth::devices
