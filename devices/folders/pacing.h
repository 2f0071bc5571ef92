#pragma once
// When a folder's next step of work begins. What comes alone is seen to at once; what comes in a stream, file after
// file, is gathered, for each step costs syncs, transactions and messages, be it for one file or for hundreds.

#include <kj/async.h>
#include <kj/timer.h>

namespace hearth::devices {

class FolderPacing final {
 public:
  static constexpr size_t FULL = 128;    // paths for which a step is worth its cost
  static constexpr size_t AT_ONCE = 12;  // steps in a row before there is a stream
  static constexpr kj::Duration PAUSE = 1 * kj::MILLISECONDS, PAUSE_MAX = 64 * kj::MILLISECONDS;
  // Without a step, after which no stream goes on.
  static constexpr kj::Duration QUIET = 20 * kj::MILLISECONDS;

  // The timer outlives this object.
  explicit FolderPacing(kj::Timer& timer): timer(timer), ended(timer.now()) {}

  // Resolves when a step for so many paths is to begin.
  kj::Promise<void> begin(size_t ready);
  void end() { ended = timer.now(); }

 private:
  kj::Timer& timer;
  kj::TimePoint ended;
  size_t inRow = 0;
  kj::Duration pause = 0 * kj::MILLISECONDS;
};

}  // namespace hearth::devices
