#include "tests/simulator/paired-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

constexpr auto S = kj::SECONDS;
constexpr auto MS = kj::MILLISECONDS;

// A home with a third device on which Hearth was never set up.
struct Guests: Home {
  Profile tabletKind = profileOf("tablet", {});
  Device& phone = world.device("phone");
  Device& laptop = world.device("laptop");

  explicit Guests(uint64_t seed = 1): Home(seed) {}
  Device& addTablet() { return addAtHome(tabletKind); }
  void run(kj::Duration span) { world.run(span); }
  void pair(Device& fresh) { world.add(people.pair(fresh, phone).ignoreResult()); }
  // Whether `device` has a link to `other`.
  bool hasLink(Device& device, Device& other) {
    for (auto& view: KJ_ASSERT_NONNULL(device.node()).devices()) {
      if (view.id == KJ_ASSERT_NONNULL(other.id())) return view.reachable;
    }
    return false;
  }
};

// Nobody is asked anything where nobody waits.
class Unasked final: public devices::PairingPerson {
 public:
  kj::Promise<bool> compare(const crypto::Sas&) override { KJ_UNREACHABLE; }
  kj::Promise<bool> confirm(const devices::DeviceView&) override { KJ_UNREACHABLE; }
  void waits(const devices::PendingView&) override { KJ_UNREACHABLE; }
};

TEST_CASE("two pairings may begin at once after a start, and each says that nobody waits") {
  Guests home;
  home.phone.kill();
  home.phone.start();
  home.run(10 * S);
  Unasked person;
  std::vector<Errc> said;
  auto invite = [&]() -> kj::Promise<void> {
    auto& node = KJ_ASSERT_NONNULL(home.phone.node());
    return node.pair(crypto::SasComparison(), {"10.0.0.9:7427"}, crypto::Role::MEMBER, person)
        .then([&](Result<devices::DeviceView> paired) { said.push_back(paired.error().code); });
  };
  home.world.add(invite());
  home.world.add(invite());
  home.run(1 * kj::MINUTES);
  REQUIRE(said == std::vector{Errc::PAIRING_CLOSED, Errc::PAIRING_CLOSED});
}

TEST_CASE("a kill leaves the disk as it was, down to what is durable") {
  Guests home;
  auto written = home.laptop.disk.contents();
  auto durable = home.laptop.disk.afterPowerCut();
  REQUIRE(written.contains("hearth.db-wal"));
  home.laptop.kill();
  REQUIRE_FALSE(home.laptop.runs());
  REQUIRE(home.laptop.disk.contents() == written);
  REQUIRE(home.laptop.disk.afterPowerCut() == durable);
}

TEST_CASE("a stop in good order leaves no log behind") {
  Guests home;
  home.laptop.stop();
  REQUIRE_FALSE(home.laptop.disk.contents().contains("hearth.db-wal"));
}

TEST_CASE("a device that starts again is the one that it was") {
  Guests home;
  auto id = KJ_ASSERT_NONNULL(home.laptop.id());
  home.laptop.kill();
  home.laptop.start();
  home.run(10 * S);
  REQUIRE(KJ_ASSERT_NONNULL(home.laptop.id()) == id);
  REQUIRE(home.hasLink(home.phone, home.laptop));
  REQUIRE(home.world.errors().empty());
}

// What `device` believes of `other`.
crypto::Bundle bundleAsSeen(Device& device, Device& other) {
  auto& circle = KJ_ASSERT_NONNULL(device.node()).circle();
  return KJ_ASSERT_NONNULL(circle.state().find(KJ_ASSERT_NONNULL(other.id()))).bundle();
}

TEST_CASE("a disk that moves to a machine without AES, and back, has the circle know it") {
  Guests home;
  auto before = bundleAsSeen(home.phone, home.laptop);
  REQUIRE((before.flags & crypto::Bundle::AES_HW) != 0);
  for (bool hasAes: {false, false, true}) {
    home.laptop.kill();
    home.laptop.hasAes = hasAes;
    home.laptop.start();
    home.run(20 * S);
    auto seen = bundleAsSeen(home.phone, home.laptop);
    REQUIRE((seen.flags & crypto::Bundle::AES_HW) == (hasAes ? crypto::Bundle::AES_HW : 0));
    REQUIRE(seen.version == (hasAes ? 3 : 2));  // said once for each change
    REQUIRE(seen.keys == before.keys);
    REQUIRE(home.hasLink(home.phone, home.laptop));
    REQUIRE(home.hasLink(home.laptop, home.phone));
  }
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("peers of a daemon that was killed learn it at once") {
  Guests home;
  home.laptop.kill();
  home.run(1 * S);
  REQUIRE_FALSE(home.hasLink(home.phone, home.laptop));
}

TEST_CASE("peers of a device that lost its power learn it when they want something of it") {
  Guests home;
  home.laptop.losePower();
  home.run(10 * kj::MINUTES);
  REQUIRE(home.hasLink(home.phone, home.laptop));  // an idle link is silent
  home.people.dictate(home.phone, home.phone, 10, 5);
  home.run(10 * S);
  REQUIRE_FALSE(home.hasLink(home.phone, home.laptop));
}

TEST_CASE("a device that loses its power at any moment of a dictation starts again as it was") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Guests home(seed);
    auto id = KJ_ASSERT_NONNULL(home.laptop.id());
    home.people.dictate(home.phone, home.phone, 30, 5);
    home.run(static_cast<int64_t>(seed) * 700 * MS);
    home.laptop.losePower();
    home.run(1 * S);
    home.laptop.powerOn();
    home.run(1 * kj::MINUTES);
    REQUIRE_FALSE(home.laptop.refusesToStart);
    REQUIRE(KJ_ASSERT_NONNULL(home.laptop.id()) == id);
    REQUIRE(home.hasLink(home.phone, home.laptop));
    REQUIRE(home.world.errors().empty());
  }
}

TEST_CASE("a device that sleeps does nothing, and goes on when it wakes") {
  Guests home;
  home.laptop.sleep();
  auto wakes = home.laptop.time.wakes();
  auto& dictation = home.people.dictate(home.phone, home.phone, 10, 5);
  home.run(1 * kj::HOURS);
  REQUIRE(home.laptop.time.wakes() == wakes);
  REQUIRE(dictation.heard.empty());
  home.laptop.wake();
  home.run(3 * kj::MINUTES);
  REQUIRE(home.hasLink(home.phone, home.laptop));
  REQUIRE(home.laptop.time.wakes() > wakes);
}

TEST_CASE("power that is lost in sleep leaves a device that is awake when it is back") {
  Guests home;
  home.laptop.sleep();
  home.run(1 * S);
  home.laptop.losePower();
  home.laptop.powerOn();
  home.run(1 * kj::MINUTES);
  REQUIRE(home.laptop.isAwake());
  REQUIRE(home.hasLink(home.phone, home.laptop));
}

TEST_CASE("what was asked of a daemon that is killed fails, and nobody waits for it") {
  Guests home;
  bool failed = false;
  home.world.add(
      home.phone.whileItRuns(kj::Promise<void>(kj::NEVER_DONE)).catch_([&](kj::Exception&& e) {
        failed = e.getType() == kj::Exception::Type::DISCONNECTED;
      }));
  home.run(1 * S);
  REQUIRE_FALSE(failed);
  home.phone.kill();
  home.run(0 * S);
  REQUIRE(failed);
}

// A join that is interrupted, at one moment after another, can be begun again later.
void requireJoinAgain(void (Device::*interrupt)(), void (Device::*resume)()) {
  for (int moment = 0; moment < 20; ++moment) {
    CAPTURE(moment);
    Guests home;
    auto& tablet = home.addTablet();
    home.pair(tablet);
    home.run(moment * 500 * MS);
    (tablet.*interrupt)();
    home.run(1 * kj::MINUTES);
    (tablet.*resume)();
    home.run(10 * S);
    home.pair(tablet);
    home.run(1 * kj::MINUTES);
    REQUIRE(tablet.inCircle());
    REQUIRE(home.hasLink(home.phone, tablet));
  }
}

TEST_CASE("a join whose process is killed at any moment can be begun again") {
  requireJoinAgain(&Device::kill, &Device::start);
}

TEST_CASE("a join whose device loses power at any moment can be begun again") {
  requireJoinAgain(&Device::losePower, &Device::powerOn);
}

TEST_CASE("an admin that is killed while it pairs or removes ends nothing but that") {
  for (int moment = 0; moment < 20; ++moment) {
    CAPTURE(moment);
    Guests home;
    auto& tablet = home.addTablet();
    home.pair(tablet);
    home.world.add(
        home.people.remove(home.phone, home.laptop, crypto::RemoveReason::LOST).ignoreResult());
    home.run(moment * 500 * MS);
    home.phone.kill();
    home.run(1 * S);
    home.phone.start();
    home.run(1 * kj::MINUTES);
    REQUIRE(home.phone.node() != nullptr);
  }
}

TEST_CASE("a join on a disk that is full or failing fails, and works when it is well") {
  Guests home;
  auto& tablet = home.addTablet();
  tablet.disk.full = true;
  home.pair(tablet);
  home.run(1 * kj::MINUTES);
  REQUIRE_FALSE(tablet.runs());
  tablet.disk.full = false;
  tablet.disk.failing = true;
  home.pair(tablet);
  home.run(1 * kj::MINUTES);
  REQUIRE_FALSE(tablet.runs());
  tablet.disk.failing = false;
  home.pair(tablet);
  home.run(1 * kj::MINUTES);
  REQUIRE(tablet.inCircle());
}

TEST_CASE("a daemon that cannot start is gone, and starts when the reason is") {
  Guests home;
  home.laptop.stop();
  auto backup = home.laptop.disk.contents();
  home.laptop.disk.rot("hearth.db", 10'000);
  home.laptop.start();
  home.run(1 * S);
  REQUIRE(home.laptop.refusesToStart);
  REQUIRE_FALSE(home.laptop.whyNotStarted.empty());
  REQUIRE_FALSE(home.laptop.runs());
  home.laptop.disk.restore(backup);
  home.laptop.start();
  home.run(10 * S);
  REQUIRE_FALSE(home.laptop.refusesToStart);
  REQUIRE(home.hasLink(home.phone, home.laptop));
}

// A device with a battery for an hour, on it.
struct OnBattery {
  Profile kind = profileOf("watch", {});
  World world{1};
  Device* device;

  OnBattery() {
    kind.batteryMwh = 100;
    kind.idleMw = 100;
    device = &world.addDevice("watch", kind);
    device->plug(false);
    device->powerOn();
  }
};

TEST_CASE("a device whose battery is empty is off, and stays so until it is charged") {
  OnBattery watch;
  watch.world.run(59 * kj::MINUTES);
  REQUIRE(watch.device->isOn());
  watch.world.run(2 * kj::MINUTES);
  REQUIRE_FALSE(watch.device->isOn());
  watch.device->powerOn();
  REQUIRE_FALSE(watch.device->isOn());
  watch.device->plug(true);
  watch.device->powerOn();
  REQUIRE(watch.device->isOn());
}

TEST_CASE("a battery that work empties turns the device off then") {
  OnBattery watch;
  watch.world.run(1 * kj::MINUTES);
  watch.device->power.compute(1 * kj::HOURS);
  watch.world.run(1 * S);
  REQUIRE_FALSE(watch.device->isOn());
}

TEST_CASE("a battery that is set nearly empty lasts so long, and a plug in time saves it") {
  OnBattery watch;
  watch.device->power.setLevel(0.01);
  watch.world.run(35 * S);
  REQUIRE(watch.device->isOn());
  watch.device->plug(true);
  watch.world.run(1 * kj::HOURS);
  REQUIRE(watch.device->isOn());
  watch.device->power.setLevel(0.01);
  watch.device->plug(false);
  watch.world.run(37 * S);
  REQUIRE_FALSE(watch.device->isOn());
}

std::vector<std::string> eventsOf(World& world, const Device& device, const std::string& kind) {
  std::vector<std::string> texts;
  for (auto& event: world.history.all()) {
    if (event.device == device.index() && event.kind == kind) texts.push_back(event.text);
  }
  return texts;
}

TEST_CASE("the history has the battery's level at each hundredth that work takes") {
  OnBattery watch;
  auto before = eventsOf(watch.world, *watch.device, "battery").size();
  for (int i = 0; i < 4; ++i) {
    watch.device->power.compute(4 * S);  // more than a hundredth of it
    watch.world.run(1 * S);
  }
  auto levels = eventsOf(watch.world, *watch.device, "battery");
  REQUIRE(levels.size() == before + 4);
  REQUIRE(levels.back() < levels[before]);
}

TEST_CASE("a plug and a level that is set are in the history, with what was before") {
  OnBattery watch;
  watch.device->setLevel(0.5);
  watch.device->plug(true);
  auto levels = eventsOf(watch.world, *watch.device, "battery");
  REQUIRE(levels.size() >= 4);
  REQUIRE(std::vector(levels.end() - 3, levels.end()) ==
      std::vector<std::string>{"0.500", "0.500", "1.000"});
}

TEST_CASE("a daemon whose keys are locked exits with one line, writes nothing, and starts later") {
  Guests home;
  auto id = KJ_ASSERT_NONNULL(home.laptop.id());
  home.laptop.lockKeys();
  home.run(1 * S);
  REQUIRE(home.laptop.runs());  // it has its keys
  home.laptop.losePower();
  auto disk = home.laptop.disk.contents();
  auto syncs = home.laptop.disk.syncs;

  home.laptop.powerOn();
  home.run(10 * S);
  REQUIRE_FALSE(home.laptop.runs());
  REQUIRE(home.laptop.whyNotStarted.find("the key store is locked") != std::string::npos);
  REQUIRE(home.laptop.startsWhileLocked == 1);
  REQUIRE(home.laptop.disk.contents() == disk);
  REQUIRE(home.laptop.disk.syncs == syncs);

  home.laptop.unlockKeys();
  home.run(30 * S);
  REQUIRE(KJ_ASSERT_NONNULL(home.laptop.id()) == id);
  REQUIRE(home.hasLink(home.phone, home.laptop));
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("a world may end in mid-sentence") {
  Guests home;
  home.people.dictate(home.phone, home.phone, 30, 5);
  home.run(3 * S);
  REQUIRE(home.phone.runs());
}

TEST_CASE("a world may end while a device joins") {
  Guests home;
  home.pair(home.addTablet());
  home.run(3 * S);
  REQUIRE_FALSE(home.people.pairings() > 1);
}

}  // namespace
}  // namespace hearth::sim
