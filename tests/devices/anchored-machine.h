#pragma once
// A device whose files somebody may put back, and whose machine may have a counter.

#include "devices/node/private-file.h"
#include "tests/devices/device-on-disk.h"

#include <algorithm>

namespace hearth::devices {

struct AnchoredMachine: DeviceOnDisk, CircleKeeper::Observer {
  kj::Own<storage::Store> store;
  kj::Own<CircleKeeper> keeper;

  void begin() {
    end();
    store = kj::heap<storage::Store>(executor, home.open());
    keeper = keeperOf(stored(*store), *store, *this);
    keeper->askCounter().wait(uv.waitScope);
  }
  void end() {
    keeper = nullptr;
    store = nullptr;
  }
  // Writes so many ops.
  void write(int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(keeper->say(crypto::MinSuitePayload{1}).wait(uv.waitScope).has_value());
  }
  void pass(kj::Duration time) {
    timer.advanceTo(timer.now() + time);
    // What that has made due takes some turns: the anchor, the counter, the anchor.
    for (int turn = 0; turn < 50; ++turn) kj::evalLast([]() {}).wait(uv.waitScope);
  }
  crypto::Buffer anchor() {
    auto read = readPrivate(*keys, kj::Path{"keys", "anchor"});
    return kj::mv(KJ_REQUIRE_NONNULL(read));
  }
  void putBackAnchor(crypto::Bytes older) {
    writePrivate(*keys, kj::Path{"keys", "anchor"}, older);
  }
  bool warnsOf(std::string_view word) {
    auto lines = keeper->alarms();
    return std::ranges::any_of(
        lines, [&](auto& line) { return line.find(word) != std::string::npos; });
  }

  void circleChanged() override {}
  void remembered() override {}
  void heartbeatCame() override {}
};

}  // namespace hearth::devices
