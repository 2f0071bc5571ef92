#include "simulator/fleet/power.h"
#include "tests/simulator/watch.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using Catch::Approx;
using Mode = Power::Mode;

constexpr auto S = kj::SECONDS;

// A battery of 100 mWh under a device that draws 50 mW when idle, 5 asleep, and 3.6 W more for a busy
// core: 1 mWh a second.
struct Bench: Moment {
  Profile profile{.batteryMwh = 100, .idleMw = 50, .asleepMw = 5, .activeMw = 3'600};
  Power power{time, profile};

  Bench() { power.setMode(Mode::ON); }
};

TEST_CASE("a device draws by its mode, and nothing when it is off") {
  Bench bench;
  bench.run(1 * kj::HOURS);
  REQUIRE(bench.power.level() == Approx(0.50));
  bench.power.setMode(Mode::ASLEEP);
  bench.run(2 * kj::HOURS);
  REQUIRE(bench.power.level() == Approx(0.40));
  bench.power.setMode(Mode::OFF);
  bench.run(100 * kj::HOURS);
  REQUIRE(bench.power.level() == Approx(0.40));
  REQUIRE(bench.power.spentMwh() == Approx(60));
}

TEST_CASE("work costs energy by its CPU time, however slow it is") {
  Bench bench;
  bench.power.slowDown(3);
  REQUIRE(bench.power.compute(2 * S) == 6 * S);
  REQUIRE(bench.power.level() == Approx(0.98));
  REQUIRE(bench.power.computed() == 2 * S);
}

TEST_CASE("a wake-up from idle costs, work on top of work does not") {
  Bench bench;
  bench.profile.wakeMicrojoule = 3.6e6;
  bench.profile.idleMw = bench.profile.activeMw = 0;
  bench.run(1 * S);
  bench.power.compute(1 * S);
  bench.power.compute(1 * S);
  REQUIRE(bench.power.spentMwh() == Approx(1));
  bench.run(10 * S);
  bench.power.compute(1 * S);
  REQUIRE(bench.power.spentMwh() == Approx(2));
  REQUIRE(bench.power.wakeUps() == 2);
}

TEST_CASE("a radio costs by the byte, and for its tail once") {
  Bench bench;
  bench.profile.idleMw = 0;
  NetworkKind mobile{.name = "lte",
      .txNanojoulePerByte = 3.6e6,
      .rxNanojoulePerByte = 0.36e6,
      .tailMw = 360,
      .tail = 10 * S};
  bench.run(1 * S);
  bench.power.used(mobile, 1'000, 0);
  REQUIRE(bench.power.radioMwh() == Approx(1 + 1));
  bench.run(4 * S);
  bench.power.used(mobile, 0, 1'000);
  REQUIRE(bench.power.radioMwh() == Approx(2 + 0.1 + 0.4));
  bench.run(60 * S);
  bench.power.used(mobile, 0, 0);
  REQUIRE(bench.power.radioMwh() == Approx(2.5 + 1));
  REQUIRE(bench.power.spentMwh() == Approx(3.5));
  REQUIRE(bench.power.txBytes() == 1'000);
  REQUIRE(bench.power.rxBytes() == 1'000);
}

TEST_CASE("radios of two networks have a tail each") {
  Bench bench;
  NetworkKind wifi{.name = "wifi", .tailMw = 360, .tail = 10 * S};
  NetworkKind mobile{.name = "lte", .tailMw = 3'600, .tail = 10 * S};
  bench.power.used(wifi, 1, 0);
  bench.power.used(mobile, 1, 0);
  REQUIRE(bench.power.radioMwh() == Approx(1 + 10));
}

TEST_CASE("a device that is hot is slower until it has cooled") {
  Bench bench;
  bench.profile.heatCapacityS = 10;
  bench.profile.coolingPerS = 0.5;
  bench.profile.throttled = 2;
  REQUIRE(bench.power.compute(8 * S) == 8 * S);
  REQUIRE(bench.power.compute(4 * S) == 8 * S);
  bench.run(10 * S);  // 12 - 5 = 7 s of heat
  REQUIRE(bench.power.compute(2 * S) == 2 * S);
  REQUIRE(bench.power.compute(2 * S) == 4 * S);
  bench.run(1 * kj::HOURS);
  REQUIRE(bench.power.compute(8 * S) == 8 * S);
}

TEST_CASE("a battery is empty when its energy is used up, by waiting or by work") {
  Bench bench;
  REQUIRE(KJ_ASSERT_NONNULL(bench.power.emptyAt()) == bench.time.now() + 2 * kj::HOURS);
  bench.run(1 * kj::HOURS);
  REQUIRE_FALSE(bench.power.isEmpty());
  auto told = bench.watch(bench.power.changed());
  bench.power.compute(51 * S);
  bench.run(0 * S);
  REQUIRE(bench.power.isEmpty());
  REQUIRE(told->value != nullptr);
  REQUIRE(bench.power.level() == 0);
}

TEST_CASE("on mains the battery is full and stays so, and what is used counts") {
  Bench bench;
  bench.run(1 * kj::HOURS);
  bench.power.plug(true);
  REQUIRE(bench.power.emptyAt() == nullptr);
  bench.run(10 * kj::HOURS);
  bench.power.compute(1'000 * S);
  REQUIRE(bench.power.level() == 1);
  REQUIRE(bench.power.spentMwh() == Approx(50 + 500 + 1'000));
  bench.power.plug(false);
  bench.run(1 * kj::HOURS);
  REQUIRE(bench.power.level() == Approx(0.5));
}

TEST_CASE("a level that is set holds from then on") {
  Bench bench;
  bench.run(1 * kj::HOURS);
  bench.power.setLevel(0.9);
  REQUIRE(bench.power.level() == Approx(0.9));
  bench.run(12 * kj::MINUTES);
  REQUIRE(bench.power.level() == Approx(0.8));
}

TEST_CASE("a device without a battery is on mains and cannot be unplugged") {
  Moment world;
  Profile hub{.idleMw = 3'600};
  Power power(world.time, hub);
  power.setMode(Mode::ON);
  power.plug(false);
  world.run(1 * kj::HOURS);
  REQUIRE(power.onMains());
  REQUIRE_FALSE(power.isEmpty());
  REQUIRE(power.level() == 1);
  REQUIRE(power.emptyAt() == nullptr);
  REQUIRE(power.spentMwh() == Approx(3'600));
}

}  // namespace
}  // namespace hearth::sim
