#include "simulator/world/world-time.h"

#include <kj/debug.h>

namespace hearth::sim {

void WorldTime::run(kj::WaitScope& scope, kj::TimePoint end, const bool& enough) {
  for (;;) {
    settle(scope);
    if (enough) return;
    auto next = clock.nextEvent();
    if (next == nullptr || KJ_ASSERT_NONNULL(next) > end) break;
    advance(kj::max(KJ_ASSERT_NONNULL(next), clock.now()));
  }
  if (clock.now() < end) advance(end);
}

void WorldTime::settle(kj::WaitScope& scope) {
  auto turns = scope.poll(TURNS_PER_ROUND_MAX);
  KJ_ASSERT(turns < TURNS_PER_ROUND_MAX, "the world spins at one instant", elapsed());
}

void WorldTime::advance(kj::TimePoint to) {
  if (to != clock.now()) {
    rounds = 0;
    ++instantCount;
  }
  KJ_ASSERT(++rounds < ROUNDS_PER_INSTANT_MAX, "timers fire for ever at one instant", elapsed());
  clock.advanceTo(to);
}

}  // namespace hearth::sim
