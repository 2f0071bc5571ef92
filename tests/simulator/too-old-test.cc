// A circle that has gone on to a suite that this program does not speak: its devices take no part any more, and are
// told that they are too old, and not that somebody has removed them.

#include "storage/tables/ops.h"
#include "tests/simulator/paired-home.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

struct OutdatedPhone: Home {
  Device& device = world.device("phone");

  // A newer Hearth has written it.
  OutdatedPhone(): Home(1) {
    auto& log = node().circle().log();
    auto op = crypto::draftChange(
        log, node().circle().selfId(), {}, crypto::MinSuitePayload{crypto::SUITE_NEWEST + 1}, 1);
    auto sealed = crypto::sealOp(op, device.process().keys().ed);
    world.add(device.process().database().write(
        [bytes = kj::heapArray<kj::byte>(sealed.envelope.data(), sealed.envelope.size())](
            storage::Database& db) { storage::ops::append(db, bytes); }));
    world.run(1 * kj::SECONDS);
    device.kill();
    device.start();
    world.run(30 * kj::SECONDS);
  }
  devices::Node& node() { return KJ_ASSERT_NONNULL(device.node()); }
};

TEST_CASE("a device that speaks no suite of its circle is too old, calls nobody, and says so") {
  OutdatedPhone home;
  REQUIRE(home.node().circle().isTooOld());
  REQUIRE(home.node().linksUp().empty());
  auto lines = home.node().alarms();
  REQUIRE(std::ranges::any_of(
      lines, [](auto& line) { return line.find("newer version") != std::string::npos; }));
}

TEST_CASE("a device that is too old runs no job, and is not told that it was removed") {
  OutdatedPhone home;
  auto refused = home.node().work().run({}, {}).error();
  REQUIRE(refused.code == Errc::BAD_VERSION);
  REQUIRE(std::string(refused.because.cStr()).find("update") != std::string::npos);
}

TEST_CASE("a device that was removed is told so, and is not too old") {
  Home home(1);
  auto& laptop = home.world.device("laptop");
  auto id = KJ_ASSERT_NONNULL(laptop.id());
  home.world.add(KJ_ASSERT_NONNULL(home.world.device("phone").node())
          .desk()
          .remove(id, crypto::RemoveReason::LOST)
          .ignoreResult());
  home.world.run(10 * kj::SECONDS);
  auto& node = KJ_ASSERT_NONNULL(laptop.node());
  REQUIRE_FALSE(node.circle().isTooOld());
  REQUIRE(node.work().run({}, {}).error().code == Errc::REMOVED);
}

}  // namespace
}  // namespace hearth::sim
