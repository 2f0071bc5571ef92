#include "simulator/report/live-facts.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

TEST_CASE("a person who watches sees the state, the newest battery level and the newest fault") {
  World world(1);
  Profile phone{.name = "phone", .deviceClass = "phone", .batteryMwh = 15'000};
  world.addDevice("phone", phone);
  world.addDevice("tablet", phone).powerOn();
  world.history.add(0, "battery", "0.83");
  world.history.add(0, "fault", "cut");
  LiveFacts facts(world, "evening");
  REQUIRE(facts.status(0).devices[0].lastFault == "cut 0:00:00.000");

  world.run(2 * kj::SECONDS);
  world.history.add(0, "battery", "0.82");
  world.history.add(0, "fault", "kill");
  auto status = facts.status(1);

  REQUIRE(status.title == "evening");
  REQUIRE(status.virtualTime == 2 * kj::SECONDS);
  REQUIRE(status.devices[0].state == "off");
  REQUIRE(status.devices[0].battery == 0.82);
  REQUIRE(status.devices[0].lastFault == "kill 0:00:02.000");
  REQUIRE(status.devices[1].state == "on");
  REQUIRE(status.devices[1].battery == 1);
}

}  // namespace
}  // namespace hearth::sim
