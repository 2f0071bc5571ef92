#pragma once
// Joins two streams for two peers that cannot reach each other: what comes out of one goes into the
// other, unread.

#include <kj/async-io.h>
#include <kj/function.h>
#include <kj/timer.h>

namespace hearth::transport {

class Splice final {
 public:
  static constexpr size_t BUFFER_BYTES = 16 << 10;  // held for each direction, no more

  // Both streams end with this object. `timer` outlives it.
  Splice(kj::Timer& timer, kj::Own<kj::AsyncIoStream> one, kj::Own<kj::AsyncIoStream> other)
      : timer(timer),
        one(kj::mv(one)),
        other(kj::mv(other)),
        movedAt(timer.now()) {}

  // Hears of every piece, and says how long the next one of that direction has to wait.
  using Toll = kj::Function<kj::Duration(size_t bytes)>;

  // Resolves when both directions have ended, or one has failed, or nothing has moved for `idle`.
  // A stream that takes nothing holds the other one back.
  kj::Promise<void> run(kj::Duration idle, Toll toll);

 private:
  kj::Timer& timer;
  kj::Own<kj::AsyncIoStream> one, other;
  kj::TimePoint movedAt;

  kj::Promise<void> pump(kj::AsyncIoStream& from, kj::AsyncIoStream& to, Toll& toll);
  kj::Promise<void> untilIdle(kj::Duration idle);
};

// For streams whose ends are watched otherwise.
constexpr kj::Duration NEVER_IDLE = 365 * kj::DAYS;

}  // namespace hearth::transport
