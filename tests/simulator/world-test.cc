#include "tests/simulator/paired-home.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

TEST_CASE("two devices of a world pair, link and dictate with the shipping code") {
  Home home(1);
  auto& dictation =
      home.people.dictate(home.world.device("phone"), home.world.device("phone"), 30, 6);
  home.world.run(60 * kj::SECONDS);
  for (auto& event: home.world.history.all())
    UNSCOPED_INFO((event.at - WorldTime::BEGINNING) / kj::MILLISECONDS
        << " " << event.device << " " << event.kind << " " << event.text);
  REQUIRE(dictation.state == "done");
  REQUIRE(dictation.heard == dictation.said);
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("equal seeds give equal worlds, other seeds others") {
  auto print = [](uint64_t seed) {
    Home home(seed);
    home.people.dictate(home.world.device("phone"), home.world.device("phone"), 12, 6);
    home.world.run(30 * kj::SECONDS);
    return home.world.fingerprint();
  };
  auto first = print(7);
  REQUIRE(print(7) == first);
  REQUIRE(print(8) != first);
}

bool linked(World& world) {
  auto& node = KJ_ASSERT_NONNULL(world.device("phone").node());
  for (auto& view: node.devices()) {
    if (!view.self && !view.reachable) return false;
  }
  return true;
}

TEST_CASE("a sentence waits for its recogniser without asking for it all the time") {
  Home home(1);
  auto& phone = home.world.device("phone");
  auto& dictation = home.people.dictate(phone, phone, 30, 6);
  home.world.run(3 * kj::SECONDS);
  phone.put({});
  home.world.run(60 * kj::SECONDS);
  REQUIRE(std::ranges::count(dictation.events, "waiting") == 1);
  auto wakes = phone.time.wakes();
  home.world.run(60 * kj::SECONDS);
  REQUIRE(phone.time.wakes() - wakes < 6 * 60);  // leases of its own stages, once a second each
  phone.put({home.wifi});
  home.world.run(90 * kj::SECONDS);
  REQUIRE(dictation.state == "done");
  REQUIRE(dictation.heard == dictation.said);
}

// Whichever of the two had called, and so whichever id is the smaller one.
TEST_CASE("a device that lost power without a word is linked again when it is back") {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Home home(seed);
    REQUIRE(linked(home.world));
    auto& laptop = home.world.device("laptop");
    laptop.losePower();
    home.world.run(30 * kj::SECONDS);
    laptop.powerOn();
    home.world.run(5 * kj::SECONDS);
    REQUIRE(linked(home.world));
    auto connections = home.world.connections();
    home.world.run(60 * kj::SECONDS);
    REQUIRE(linked(home.world));
    REQUIRE(home.world.connections() == connections);
  }
}

TEST_CASE("a daemon that ends while it runs a stage for another device ends in good order") {
  Home home(1);
  auto& phone = home.world.device("phone");
  home.people.dictate(phone, phone, 30, 6);
  home.world.run(5 * kj::SECONDS);
  home.world.device("laptop").stop();
  home.world.run(5 * kj::SECONDS);
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("a device that was removed ends its jobs and calls nobody any more") {
  Home home(1);
  auto& phone = home.world.device("phone");
  auto& laptop = home.world.device("laptop");
  home.world.terrain.cut(phone.index(), laptop.index());
  home.world.terrain.cut(laptop.index(), phone.index());
  home.world.run(10 * kj::SECONDS);
  home.world.add(home.people.remove(phone, laptop, crypto::RemoveReason::LOST).ignoreResult());
  home.world.run(1 * kj::SECONDS);
  home.world.terrain.mendAll();
  home.world.run(2 * kj::MINUTES);
  auto connections = home.world.connections();
  home.world.run(10 * kj::MINUTES);
  REQUIRE(home.world.connections() == connections);
  REQUIRE(home.people.dictate(laptop, laptop, 5, 5).refused);
}

TEST_CASE("what a peer brings while the disk is full is on the disk when there is room again") {
  auto tabletKind = profileOf("tablet", {});
  Home home(1);
  auto& laptop = home.world.device("laptop");
  auto& tablet = home.addAtHome(tabletKind);
  laptop.disk.full = true;
  home.world.add(home.people.pair(tablet, home.world.device("phone")).ignoreResult());
  home.world.run(30 * kj::SECONDS);
  REQUIRE(laptop.disk.refused > 0);
  laptop.disk.full = false;
  home.world.run(15 * kj::SECONDS);
  auto& log = KJ_ASSERT_NONNULL(laptop.node()).circle().log();
  auto kept = laptop.process().afterPowerLoss();
  REQUIRE(log.size() == 4);
  REQUIRE(kept.has_value());
  REQUIRE(kept->ops.size() == log.size());
}

TEST_CASE("a change of the circle that the disk refuses has not happened, to anybody") {
  Home home(1);
  auto& phone = home.world.device("phone");
  auto& laptop = home.world.device("laptop");
  auto opsOf = [](Device& device) {
    return KJ_ASSERT_NONNULL(device.node()).circle().log().size();
  };
  auto before = opsOf(phone);
  phone.disk.full = true;
  home.world.add(home.people.remove(phone, laptop, crypto::RemoveReason::LOST).ignoreResult());
  home.world.run(10 * kj::SECONDS);
  REQUIRE(phone.disk.refused > 0);
  REQUIRE(home.people.acknowledgements().size() == 1);  // the pairing
  REQUIRE(opsOf(phone) == before);
  REQUIRE(opsOf(laptop) == before);
  phone.disk.full = false;
  home.world.add(home.people.remove(phone, laptop, crypto::RemoveReason::LOST).ignoreResult());
  home.world.run(10 * kj::SECONDS);
  REQUIRE(home.people.acknowledgements().size() == 2);
  REQUIRE(opsOf(phone) == before + 2);
}

TEST_CASE("a daemon hangs up on one local connection too many, and on all when it is killed") {
  Home home(1);
  auto& phone = home.world.device("phone");
  std::vector<kj::Own<kj::AsyncIoStream>> apps;
  size_t hungUp = 0;
  char byte;
  for (size_t i = 0; i <= local::Server::CONNECTIONS_MAX; ++i) {
    apps.push_back(phone.connectApp());
    home.world.add(apps.back()->tryRead(&byte, 1, 1).then([&hungUp](size_t) { ++hungUp; }));
  }
  home.world.run(1 * kj::SECONDS);
  REQUIRE(hungUp == 1);
  phone.kill();
  home.world.run(1 * kj::SECONDS);
  REQUIRE(hungUp == apps.size());
  REQUIRE_THROWS_AS(phone.connectApp(), kj::Exception);
}

}  // namespace
}  // namespace hearth::sim
