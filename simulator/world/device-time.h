#pragma once
// Time as one device sees it: a monotonic clock that drifts and stands still while the device sleeps,
// and a wall clock that is wrong by some amount and may be set, also backwards.

#include "simulator/world/world-time.h"

namespace hearth::sim {

class DeviceTime final {
 public:
  // `begin`: the wall clock's reading at the world's beginning, were it right.
  static constexpr kj::Date BEGIN = kj::UNIX_EPOCH + 1'767'225'600 * kj::SECONDS;  // 2026-01-01

  DeviceTime(WorldTime& world, kj::Duration wallError, int32_t driftPpm);
  KJ_DISALLOW_COPY_AND_MOVE(DeviceTime);

  kj::Timer& timer() { return monotonic; }
  const kj::Clock& clock() const { return wall; }

  // The system sleeps: no timer fires. Frames that arrive meanwhile are not taken.
  void suspend();
  void resume();
  bool isSuspended() const { return suspended; }
  // Resolves when the device is awake.
  kj::Promise<void> awake();

  // Somebody sets the clock, or it stops for good (a dead clock chip).
  void stepWall(kj::Duration by) { wallError += by; }
  void stopWall() { wallStopped = wall.now(); }

  // Timers that have fired since the beginning.
  uint64_t wakes() const { return monotonic.wakes; }

 private:
  struct Monotonic final: public kj::Timer {
    DeviceTime& time;
    uint64_t wakes = 0;
    explicit Monotonic(DeviceTime& time): time(time) {}
    kj::TimePoint now() const override { return time.localNow(); }
    kj::Promise<void> atTime(kj::TimePoint local) override { return time.until(local); }
    kj::Promise<void> afterDelay(kj::Duration delay) override { return time.after(delay); }
  };
  struct Wall final: public kj::Clock {
    const DeviceTime& time;
    explicit Wall(const DeviceTime& time): time(time) {}
    kj::Date now() const override;
  };

  WorldTime& world;
  int64_t rate;  // local nanoseconds per million of the world's
  kj::Duration wallError;
  kj::Maybe<kj::Date> wallStopped;
  bool suspended = false;
  kj::TimePoint localBase = kj::origin<kj::TimePoint>();  // at worldBase
  kj::TimePoint worldBase = WorldTime::BEGINNING;
  kj::Maybe<kj::PromiseFulfillerPair<void>> sleep;
  kj::Maybe<kj::ForkedPromise<void>> waking;
  Monotonic monotonic{*this};
  Wall wall{*this};

  kj::TimePoint localNow() const;
  kj::TimePoint worldAt(kj::TimePoint local) const;
  kj::Promise<void> after(kj::Duration local);
  kj::Promise<void> until(kj::TimePoint local);
};

}  // namespace hearth::sim
