#pragma once
// The one clock of a world, and the loop that lets its time pass: everything that can happen now
// happens now, then the clock jumps to the next instant at which something is due.

#include <kj/async.h>
#include <kj/timer.h>

#include <cstdint>

namespace hearth::sim {

class WorldTime final {
 public:
  // A world in which something keeps happening at one instant is stuck: running it throws then.
  static constexpr uint32_t ROUNDS_PER_INSTANT_MAX = 100'000;
  static constexpr kj::uint TURNS_PER_ROUND_MAX = 5'000'000;

  static constexpr kj::TimePoint BEGINNING = kj::origin<kj::TimePoint>();
  static constexpr bool NEVER_ENOUGH = false;

  kj::TimePoint now() const { return clock.now(); }
  kj::Duration elapsed() const { return clock.now() - BEGINNING; }
  kj::Promise<void> at(kj::TimePoint instant) { return clock.atTime(instant); }
  kj::Promise<void> after(kj::Duration span) { return clock.afterDelay(span); }

  // Lets time pass until `end`, and everything happen that is due by then; or until somebody has set
  // `enough`, and everything has happened that was due at that instant.
  void run(kj::WaitScope& scope, kj::TimePoint end, const bool& enough = NEVER_ENOUGH);

  // Instants at which something happened so far.
  uint64_t instants() const { return instantCount; }

 private:
  kj::TimerImpl clock{BEGINNING};
  uint64_t instantCount = 0;
  uint32_t rounds = 0;

  void settle(kj::WaitScope& scope);
  void advance(kj::TimePoint to);
};

}  // namespace hearth::sim
