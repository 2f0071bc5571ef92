#include "simulator/world/device-time.h"

#include <kj/debug.h>

namespace hearth::sim {

namespace {

constexpr int64_t MILLION = 1'000'000;

// No world lasts longer. A timer for later than that is set anew then.
constexpr kj::Duration FAR = 36'500 * kj::DAYS;

// value * numerator / denominator, rounded up, without overflow.
kj::Duration scaled(kj::Duration value, int64_t numerator, int64_t denominator) {
  auto wide = static_cast<__int128>(value / kj::NANOSECONDS) * numerator;
  auto far = static_cast<__int128>(FAR / kj::NANOSECONDS);
  auto result = kj::min((wide + denominator - 1) / denominator, far);
  return static_cast<int64_t>(result) * kj::NANOSECONDS;
}

}  // namespace

DeviceTime::DeviceTime(WorldTime& world, kj::Duration wallError, int32_t driftPpm)
    : world(world),
      rate(MILLION + driftPpm),
      wallError(wallError) {}

kj::Date DeviceTime::Wall::now() const {
  KJ_IF_MAYBE(stopped, time.wallStopped) return *stopped;
  return BEGIN + scaled(time.world.elapsed(), time.rate, MILLION) + time.wallError;
}

kj::TimePoint DeviceTime::localNow() const {
  if (suspended) return localBase;
  return localBase + scaled(world.now() - worldBase, rate, MILLION);
}

kj::TimePoint DeviceTime::worldAt(kj::TimePoint local) const {
  return worldBase + scaled(local - localBase, MILLION, rate);
}

void DeviceTime::suspend() {
  if (suspended) return;
  localBase = localNow();
  suspended = true;
  auto& pair = sleep.emplace(kj::newPromiseAndFulfiller<void>());
  waking = pair.promise.fork();
}

void DeviceTime::resume() {
  if (!suspended) return;
  suspended = false;
  worldBase = world.now();
  KJ_ASSERT_NONNULL(sleep).fulfiller->fulfill();
}

kj::Promise<void> DeviceTime::awake() {
  if (!suspended) return kj::READY_NOW;
  return KJ_ASSERT_NONNULL(waking).addBranch();
}

kj::Promise<void> DeviceTime::after(kj::Duration local) {
  return until(localNow() + kj::min(local, FAR));
}

kj::Promise<void> DeviceTime::until(kj::TimePoint local) {
  // At least one turn passes, as with any timer, and the clock may have stood still meanwhile.
  do {
    co_await world.at(suspended ? world.now() : worldAt(local));
    while (suspended) co_await awake();
  } while (localNow() < local);
  ++monotonic.wakes;
}

}  // namespace hearth::sim
