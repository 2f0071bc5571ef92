// How much bulk goes, and when it rests: in the time of the test.
#include "devices/data/bulk-gate.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using Way = BulkGate::Way;
namespace table = storage::limits;

constexpr uint64_t MIB = 1 << 20;

DeviceId device(kj::byte number) {
  DeviceId id;
  id.bytes[0] = number;
  return id;
}

struct Machine final: public OutlookSource {
  Outlook outlook;
  size_t looks = 0;

  kj::Promise<Outlook> look() override {
    ++looks;
    return outlook;
  }
};

struct WallClock final: public kj::Clock {
  kj::Date date = kj::UNIX_EPOCH + 1'000'000 * kj::SECONDS;
  kj::Date now() const override { return date; }
};

struct Gate final: private BulkGate::User {
  kj::EventLoop loop;
  kj::WaitScope scope{loop};
  kj::TimerImpl timer{kj::origin<kj::TimePoint>() + 1 * kj::HOURS};
  WallClock clock;
  storage::Home home;
  InlineExecutor executor;
  storage::Store store{executor, home.open()};
  Machine machine;
  bool waits = false;
  size_t changes = 0;
  kj::Own<BulkGate> gate;

  Gate() { begin(); }

  void begin() {
    gate = kj::heap<BulkGate>(BulkGate::Surroundings{timer, clock, store, machine});
    gate->setUser(*this);
    gate->start().wait(scope);
  }
  void pass(kj::Duration time) {
    auto end = timer.now() + time;
    while (timer.now() < end) {
      scope.poll();
      auto next = kj::min(end, timer.nextEvent().orDefault(end));
      clock.date += next - timer.now();
      timer.advanceTo(next);
    }
    scope.poll();
  }
  bool isQuiet() {
    scope.poll();
    return timer.nextEvent() == nullptr;
  }
  void limit(const DeviceId& device, table::Rates rates) {
    REQUIRE(gate->setRates(device, rates).wait(scope).has_value());
  }
  void rest(table::Resting resting) { REQUIRE(gate->setResting(resting).wait(scope).has_value()); }
  // More than any limit here lets go: where none is kept it would have no end.
  static constexpr uint64_t ENOUGH = 1'000 * MIB;
  // What went within that time, from somebody who wants all he can get, in pieces of that size.
  uint64_t went(Way way, const DeviceId& peer, kj::Duration time, uint64_t piece) {
    uint64_t bytes = 0;
    auto go = [&]() -> kj::Promise<void> {
      while (bytes < ENOUGH) {
        co_await gate->untilOpen(way, peer);
        gate->passed(way, peer, piece);
        bytes += piece;
      }
    };
    auto going = go();
    pass(time);
    return bytes;
  }
  std::string why() { return gate->whyResting().orDefault("it goes"); }

 private:
  void gateChanged() override { ++changes; }
  bool isWaiting() const override { return waits; }
};

TEST_CASE("without limits everything goes at once, and no timer runs") {
  Gate gate;
  REQUIRE(gate.gate->left(Way::UP, device(1)).bytes == UINT64_MAX);
  gate.gate->passed(Way::UP, device(1), 100 * MIB);
  REQUIRE(gate.gate->left(Way::UP, device(1)).bytes == UINT64_MAX);
  REQUIRE(gate.isQuiet());
}

TEST_CASE(
    "of a limit as much goes as it says and what a second has saved up, whatever the pieces are") {
  for (uint64_t piece: {uint64_t{4'000}, uint64_t{64 << 10}, 2 * MIB}) {
    Gate gate;
    gate.limit(DeviceId(), {.up = MIB, .down = 0});
    auto bytes = gate.went(Way::UP, device(1), 20 * kj::SECONDS, piece);
    CAPTURE(piece, bytes);
    REQUIRE(bytes >= 20 * MIB - piece);
    REQUIRE(bytes <= 21 * MIB + piece);
    REQUIRE(gate.gate->passedBytes(Way::UP) == bytes);
    REQUIRE(gate.isQuiet());
  }
}

TEST_CASE("a limit is of one direction, and of one device or of all together") {
  Gate gate;
  gate.limit(device(1), {.up = 0, .down = MIB});
  REQUIRE(gate.went(Way::DOWN, device(1), 10 * kj::SECONDS, 64 << 10) < 12 * MIB);
  REQUIRE(gate.gate->left(Way::DOWN, device(2)).bytes == UINT64_MAX);
  REQUIRE(gate.gate->left(Way::UP, device(1)).bytes == UINT64_MAX);
  gate.limit(DeviceId(), {.up = 0, .down = 2 * MIB});
  gate.gate->passed(Way::DOWN, device(2), 40 * MIB);
  REQUIRE(gate.gate->left(Way::DOWN, device(3)).bytes == 0);
  gate.limit(DeviceId(), {});
  REQUIRE(gate.gate->left(Way::DOWN, device(3)).bytes == UINT64_MAX);
}

TEST_CASE("what is waited for begins when a limit is lifted") {
  Gate gate;
  gate.limit(DeviceId(), {.up = table::RATE_LEAST, .down = 0});
  gate.gate->passed(Way::UP, device(1), 100 * MIB);
  bool goes = false;
  auto waiting = gate.gate->untilOpen(Way::UP, device(1))
                     .then([&]() { goes = true; })
                     .eagerlyEvaluate(nullptr);
  gate.pass(60 * kj::SECONDS);
  REQUIRE(!goes);
  gate.limit(DeviceId(), {});
  gate.scope.poll();
  REQUIRE(goes);
}

TEST_CASE("limits and what is said of resting outlive the daemon") {
  Gate gate;
  gate.limit(DeviceId(), {.up = MIB, .down = 2 * MIB});
  gate.limit(device(1), {.up = 3 * MIB, .down = 0});
  gate.rest({.belowPercent = 35, .onMetered = false, .pausedUntilMs = table::UNTIL_RESUMED});
  auto rates = gate.gate->rates();
  auto resting = gate.gate->resting();
  gate.begin();
  REQUIRE(gate.gate->rates() == rates);
  REQUIRE(gate.gate->resting() == resting);
  REQUIRE(gate.why() == "paused");
}

TEST_CASE("a limit that nobody could be served with is refused, and a charge that no battery has") {
  Gate gate;
  auto refused = [&](table::Rates rates) {
    return gate.gate->setRates(DeviceId(), rates).wait(gate.scope).error().code;
  };
  REQUIRE(refused({.up = table::RATE_LEAST - 1, .down = 0}) == Errc::BAD_FORMAT);
  REQUIRE(refused({.up = 0, .down = table::RATE_MOST + 1}) == Errc::BAD_FORMAT);
  REQUIRE(gate.gate->rates().empty());
  auto odd = gate.gate->setResting({.belowPercent = 102}).wait(gate.scope);
  REQUIRE(odd.error().code == Errc::BAD_FORMAT);
  REQUIRE(gate.gate->resting() == table::Resting());
}

TEST_CASE(
    "bulk rests on a battery that is low and on a metered network, where its owner does not say otherwise") {
  Gate gate;
  auto whyWith = [&](Outlook outlook) {
    gate.machine.outlook = outlook;
    gate.gate->lookAgain();
    gate.scope.poll();
    return gate.why();
  };
  uint8_t low = 14, enough = 20;
  REQUIRE(whyWith({low, false}) == "on battery at 14 %");
  REQUIRE(whyWith({enough, false}) == "it goes");
  REQUIRE(whyWith({nullptr, true}) == "on a metered network");
  gate.rest({.belowPercent = table::BELOW_MAX, .onMetered = false});
  REQUIRE(whyWith({nullptr, true}) == "it goes");
  REQUIRE(whyWith({uint8_t{100}, false}) == "on battery at 100 %");
  gate.rest({.belowPercent = 0, .onMetered = true});
  REQUIRE(whyWith({uint8_t{1}, false}) == "it goes");
}

TEST_CASE(
    "who waits while it rests is let go soon after the battery is charged, and nobody else looks") {
  Gate gate;
  gate.machine.outlook.batteryPercent = uint8_t{5};
  gate.gate->lookAgain();
  gate.scope.poll();
  REQUIRE(gate.gate->left(Way::DOWN, device(1)).bytes == 0);
  auto before = gate.machine.looks;
  gate.pass(10 * kj::MINUTES);
  REQUIRE(gate.machine.looks == before);
  REQUIRE(gate.isQuiet());
  gate.waits = true;
  REQUIRE(gate.gate->left(Way::DOWN, device(1)).bytes == 0);
  gate.machine.outlook.batteryPercent = nullptr;
  auto changes = gate.changes;
  gate.pass(BulkGate::LOOKS_EVERY);
  REQUIRE(gate.gate->left(Way::DOWN, device(1)).bytes == UINT64_MAX);
  REQUIRE(gate.changes > changes);
  gate.waits = false;
  gate.pass(10 * kj::MINUTES);
  REQUIRE(gate.isQuiet());
}

TEST_CASE("nothing goes before it is known where the machine is, after a long time or elsewhere") {
  Gate gate;
  gate.machine.outlook.isMetered = true;
  gate.pass(3 * BulkGate::LOOKS_EVERY);
  REQUIRE(gate.gate->left(Way::DOWN, device(1)).bytes == 0);
  gate.scope.poll();
  REQUIRE(gate.why() == "on a metered network");
  gate.machine.outlook.isMetered = false;
  gate.gate->lookAgain();
  gate.gate->looked().wait(gate.scope);
  REQUIRE(gate.gate->left(Way::DOWN, device(1)).bytes == UINT64_MAX);
}

TEST_CASE("a pause ends by itself when somebody waits, and by its owner's word") {
  Gate gate;
  gate.rest({.pausedUntilMs = gate.gate->nowMs() + 5'000});
  bool goes = false;
  auto waiting = gate.gate->untilOpen(Way::UP, device(1))
                     .then([&]() { goes = true; })
                     .eagerlyEvaluate(nullptr);
  gate.pass(4 * kj::SECONDS);
  REQUIRE(gate.why() == "paused");
  REQUIRE(!goes);
  gate.pass(2 * kj::SECONDS);
  REQUIRE(goes);
  gate.rest({.pausedUntilMs = table::UNTIL_RESUMED});
  gate.pass(10 * kj::HOURS);
  REQUIRE(gate.why() == "paused");
  REQUIRE(gate.isQuiet());
  gate.rest({});
  REQUIRE(gate.why() == "it goes");
}

}  // namespace
}  // namespace hearth::devices
