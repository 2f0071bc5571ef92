// What `hearth status` says of the anchors that a device has.

#include "devices/node/anchor-sources.h"
#include "simulator/fleet/sim-counter.h"
#include "tests/devices/anchored-machine.h"

namespace hearth::devices {
namespace {

TEST_CASE("a device with no anchor of any kind says so") {
  REQUIRE(AnchorSources().words() ==
      "none: nothing shows that this disk was put back to an older copy");
}

TEST_CASE("a device that has a file alone says what that does not show") {
  REQUIRE(AnchorSources{.file = true}.words() ==
      "a file beside the database; nothing shows that the whole disk was put back to an older "
      "copy");
}

TEST_CASE("a counter and other devices are named before the file") {
  AnchorSources sources{.file = true, .counter = "the TPM's counter", .witnesses = 2};
  REQUIRE(sources.words() ==
      "the TPM's counter, 2 other devices at the next contact, a file beside the database");
  sources = {.file = true, .witnesses = 1};
  REQUIRE(sources.words() == "1 other device at the next contact, a file beside the database");
}

TEST_CASE("a counter that is not to be had says why") {
  AnchorSources sources{.file = true, .counterFails = "the TPM has no room", .witnesses = 1};
  REQUIRE(sources.words() ==
      "1 other device at the next contact, a file beside the database; no counter: the TPM has no "
      "room");
}

TEST_CASE(
    "a device that is alone has a file from its first start on, and a counter where there is one") {
  AnchoredMachine machine;
  machine.begin();
  auto without = machine.keeper->anchorSources();
  REQUIRE(without.file);
  REQUIRE(without.counter.empty());
  REQUIRE(without.witnesses == 0);
  sim::SimCounter chip;
  machine.counter = chip;
  machine.begin();
  REQUIRE(machine.keeper->anchorSources().counter == "a simulated counter");
}

TEST_CASE("a device whose anchor cannot be written has none") {
  sim::SimDisk full{sim::Chance(2)};
  full.full = true;
  AnchoredMachine machine;
  machine.keys = full.directory();
  machine.begin();
  REQUIRE(full.refused > 0);
  REQUIRE_FALSE(machine.keeper->anchorSources().file);
  REQUIRE(machine.keeper->anchorSources().words().starts_with("none: "));
}

}  // namespace
}  // namespace hearth::devices
