#include "simulator/world/device-time.h"
#include "tests/simulator/watch.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace hearth::sim {
namespace {

constexpr kj::Duration NONE = 0 * kj::SECONDS;

kj::Duration uptime(DeviceTime& device) {
  return device.timer().now() - kj::origin<kj::TimePoint>();
}

kj::Duration wallSince(const DeviceTime& device) {
  return device.clock().now() - DeviceTime::BEGIN;
}

TEST_CASE("a clock that drifts shows more time than has passed, and its timers fire early") {
  Moment world;
  DeviceTime device(world.time, NONE, 100);
  auto hour = world.watch(device.timer().afterDelay(1 * kj::HOURS));
  world.run(10'000 * kj::SECONDS);
  REQUIRE(uptime(device) == 10'001 * kj::SECONDS);
  REQUIRE(wallSince(device) == 10'001 * kj::SECONDS);
  REQUIRE(hour->at < 3'600 * kj::SECONDS);
  REQUIRE(hour->at > 3'599 * kj::SECONDS);
}

TEST_CASE("a timer fires at the first instant at which its clock shows its time") {
  Moment world;
  DeviceTime slow(world.time, NONE, -50), fast(world.time, NONE, 50);
  auto due = 12'345'678 * kj::MICROSECONDS;
  auto late = world.watch(slow.timer().afterDelay(due).then([&]() { return uptime(slow); }));
  auto early = world.watch(fast.timer().afterDelay(due).then([&]() { return uptime(fast); }));
  world.run(1 * kj::MINUTES);
  REQUIRE(**late >= due);
  REQUIRE(**late <= due + 1 * kj::NANOSECONDS);
  REQUIRE(**early >= due);
  REQUIRE(**early <= due + 1 * kj::NANOSECONDS);
  REQUIRE(early->at < late->at);
}

TEST_CASE("timers fire in the order in which they are due, equal ones in that of their making") {
  Moment world;
  DeviceTime device(world.time, NONE, 20);
  std::vector<int> fired;
  auto set = [&](int number, kj::Duration delay) {
    return world.watch(
        device.timer().afterDelay(delay).then([&fired, number]() { fired.push_back(number); }));
  };
  auto third = set(3, 3 * kj::SECONDS), first = set(1, 1 * kj::SECONDS),
       second = set(2, 1 * kj::SECONDS);
  world.run(5 * kj::SECONDS);
  REQUIRE(fired == std::vector<int>{1, 2, 3});
  REQUIRE(device.wakes() == 3);
}

TEST_CASE("a device that sleeps fires no timer, and its uptime stands still") {
  Moment world;
  DeviceTime device(world.time, NONE, 0);
  auto timer = world.watch(device.timer().afterDelay(10 * kj::SECONDS));
  world.run(4 * kj::SECONDS);
  device.suspend();
  world.run(1 * kj::HOURS);
  REQUIRE(timer->isOpen());
  REQUIRE(uptime(device) == 4 * kj::SECONDS);
  REQUIRE(wallSince(device) == 3'604 * kj::SECONDS);
  device.resume();
  world.run(1 * kj::MINUTES);
  REQUIRE(timer->at == 3'610 * kj::SECONDS);
}

TEST_CASE(
    "a device that falls asleep again and again fires its timer after the time it was awake") {
  Moment world;
  DeviceTime device(world.time, NONE, 0);
  auto timer = world.watch(device.timer().afterDelay(10 * kj::SECONDS));
  for (int i = 0; i < 9; ++i) {
    world.run(1 * kj::SECONDS);
    device.suspend();
    world.run(30 * kj::SECONDS);
    device.resume();
  }
  world.run(2 * kj::SECONDS);
  REQUIRE(timer->at == (9 * 31 + 1) * kj::SECONDS);
}

TEST_CASE("what waits for a device to wake goes on when it does") {
  Moment world;
  DeviceTime device(world.time, NONE, 0);
  auto before = world.watch(device.awake());
  device.suspend();
  auto during = world.watch(device.awake());
  world.run(1 * kj::MINUTES);
  REQUIRE(before->at == NONE);
  REQUIRE(during->isOpen());
  device.resume();
  world.run(NONE);
  REQUIRE(during->at == 1 * kj::MINUTES);
}

TEST_CASE("a wall clock that is set back shows less, and no timer notices") {
  Moment world;
  DeviceTime device(world.time, 2 * kj::SECONDS, 0);
  auto timer = world.watch(device.timer().afterDelay(10 * kj::SECONDS));
  world.run(5 * kj::SECONDS);
  REQUIRE(wallSince(device) == 7 * kj::SECONDS);
  device.stepWall(-3 * 365 * kj::DAYS);
  world.run(5 * kj::SECONDS);
  REQUIRE(device.clock().now() < DeviceTime::BEGIN);
  REQUIRE(timer->at == 10 * kj::SECONDS);
  REQUIRE(uptime(device) == 10 * kj::SECONDS);
}

TEST_CASE("a wall clock that has stopped shows one time, and timers go on") {
  Moment world;
  DeviceTime device(world.time, NONE, 0);
  world.run(5 * kj::SECONDS);
  device.stopWall();
  auto timer = world.watch(device.timer().afterDelay(1 * kj::HOURS));
  world.run(2 * kj::HOURS);
  REQUIRE(wallSince(device) == 5 * kj::SECONDS);
  REQUIRE(timer->at == 3'605 * kj::SECONDS);
}

TEST_CASE("a timer for later than any time neither fires nor spins, on any clock") {
  Moment world;
  DeviceTime slow(world.time, NONE, -200), fast(world.time, NONE, 200);
  world.run(1 * kj::SECONDS);
  kj::Duration longest = kj::maxValue;
  auto late = world.watch(slow.timer().afterDelay(longest));
  auto later = world.watch(fast.timer().atTime(kj::origin<kj::TimePoint>() + longest));
  world.run(1'000 * kj::DAYS);
  REQUIRE(late->isOpen());
  REQUIRE(later->isOpen());
}

TEST_CASE("a timer that is dropped fires for nobody") {
  Moment world;
  DeviceTime device(world.time, NONE, 0);
  auto timer = world.watch(device.timer().afterDelay(1 * kj::SECONDS));
  timer = nullptr;
  device.suspend();
  auto second = world.watch(device.timer().afterDelay(1 * kj::SECONDS));
  world.run(1 * kj::SECONDS);
  second = nullptr;
  device.resume();
  world.run(1 * kj::MINUTES);
  REQUIRE(device.wakes() == 0);
}

TEST_CASE("a world runs to its end and no further, and what is due then happens") {
  Moment world;
  auto atEnd = world.watch(world.time.after(5 * kj::SECONDS));
  auto behind = world.watch(world.time.after(5 * kj::SECONDS + 1 * kj::NANOSECONDS));
  world.run(5 * kj::SECONDS);
  REQUIRE(world.time.elapsed() == 5 * kj::SECONDS);
  REQUIRE(atEnd->at == 5 * kj::SECONDS);
  REQUIRE(behind->isOpen());
}

TEST_CASE("what becomes due at a world's end happens, too") {
  Moment world;
  auto chain = world.watch(
      world.time.after(5 * kj::SECONDS).then([&]() { return world.time.after(NONE); }).then([&]() {
        return world.time.after(NONE);
      }));
  world.run(5 * kj::SECONDS);
  REQUIRE(chain->at == 5 * kj::SECONDS);
}

kj::Promise<void> timersWithoutEnd(WorldTime& time) {
  for (;;) co_await time.after(NONE);
}

kj::Promise<void> turnsWithoutEnd() {
  return kj::evalLater([]() { return turnsWithoutEnd(); });
}

TEST_CASE("timers that fire at one instant without end stop the world") {
  Moment world;
  auto spinning = world.watch(timersWithoutEnd(world.time));
  REQUIRE_THROWS(world.run(1 * kj::SECONDS));
}

TEST_CASE("work at one instant without end stops the world") {
  Moment world;
  auto spinning = world.watch(turnsWithoutEnd());
  REQUIRE_THROWS(world.run(1 * kj::SECONDS));
}

}  // namespace
}  // namespace hearth::sim
