// What the user of a device is told of its circle.

#include "tests/devices/device-on-disk.h"

namespace hearth::devices {
namespace {

struct Silent final: CircleKeeper::Observer {
  void circleChanged() override {}
  void remembered() override {}
  void heartbeatCame() override {}
};

size_t countClones(const CircleKeeper& keeper) {
  auto lines = keeper.alarms();
  return static_cast<size_t>(std::ranges::count_if(
      lines, [](auto& line) { return line.find("hearth reinstate") != std::string::npos; }));
}

TEST_CASE("a device that wrote two histories is told of once, however many rivals it has") {
  DeviceOnDisk own;
  Silent observer;
  storage::Store store{own.executor, own.home.open()};
  auto circle = own.stored(store);
  crypto::Device self(1), other(2), copy(2);
  self.log = kj::heap<crypto::MembershipLog>(circle.circle);
  for (auto& op: circle.ops) self.take(op);
  self.epochs.learn(*self.log, own.identity.keys);
  crypto::Join join{circle.circle, other.bundle.hash(), own.identity.keys.id, crypto::Role::MEMBER};
  auto add = crypto::authorAdd(*self.log, self.epochs, own.identity.keys, other.bundle,
      other.bundle.seal(other.keys), join.seal(other.keys), crypto::Role::MEMBER, 1, own.entropy)
                 .value();
  self.take(add);
  for (auto* device: {&other, &copy}) {
    device->log = kj::heap<crypto::MembershipLog>(circle.circle);
    device->takeAll(self);
  }
  auto write = [&](uint8_t content) {
    other.say(crypto::DeviceMetaPayload{std::vector<kj::byte>(72, content)});
    copy.say(crypto::DeviceMetaPayload{std::vector<kj::byte>(73, content)});
  };
  auto alarmed = [&]() {
    StoredCircle stored{.circle = circle.circle};
    self.takeAll(other);
    self.takeAll(copy);
    for (auto envelope: self.log->envelopes())
      stored.ops.push_back(kj::heapArray<kj::byte>(envelope));
    return countClones(*own.keeperOf(kj::mv(stored), store, observer));
  };
  REQUIRE(alarmed() == 0);
  for (uint8_t number = 0; number < 3; ++number) write(number);
  REQUIRE(alarmed() == 1);
}

}  // namespace
}  // namespace hearth::devices
