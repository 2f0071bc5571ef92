#include "transport/wire/splice.h"

namespace hearth::transport {

kj::Promise<void> Splice::run(kj::Duration idle, Toll toll) {
  auto directions = kj::heapArrayBuilder<kj::Promise<void>>(2);
  directions.add(pump(*one, *other, toll));
  directions.add(pump(*other, *one, toll));
  auto both = kj::joinPromisesFailFast(directions.finish());
  try {
    co_await kj::mv(both).exclusiveJoin(untilIdle(idle));
  } catch (const kj::Exception& e) {
    // One end is gone: so is the other, with this object.
  }
}

kj::Promise<void> Splice::pump(kj::AsyncIoStream& from, kj::AsyncIoStream& to, Toll& toll) {
  auto buffer = kj::heapArray<kj::byte>(BUFFER_BYTES);
  for (;;) {
    auto size = co_await from.tryRead(buffer.begin(), 1, buffer.size());
    if (size == 0) break;
    co_await to.write(buffer.begin(), size);
    movedAt = timer.now();
    auto pause = toll(size);
    if (pause > 0 * kj::SECONDS) co_await timer.afterDelay(pause);
  }
  to.shutdownWrite();
}

kj::Promise<void> Splice::untilIdle(kj::Duration idle) {
  for (;;) {
    auto end = movedAt + idle;
    if (timer.now() >= end) co_return;
    co_await timer.atTime(end);
  }
}

}  // namespace hearth::transport
