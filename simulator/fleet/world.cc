#include "simulator/fleet/world.h"

#include "simulator/world/log-line.h"

#include <kj/debug.h>

namespace hearth::sim {

// What the shipping code logs while the world runs.
class World::LogCatcher final: public kj::ExceptionCallback {
 public:
  explicit LogCatcher(World& world): world(world) {}

  void logMessage(kj::LogSeverity severity, const char* file, int line, int contextDepth,
      kj::String&& text) override {
    (void)contextDepth;
    if (severity < kj::LogSeverity::WARNING || world.dying) return;
    auto first = text.findFirst('\n').orDefault(text.size());
    auto said = withoutFolders(kj::str(file, ':', line, ": ", text.slice(0, first)).cStr());
    world.history.add(-1, "log", said);
    if (severity >= kj::LogSeverity::ERROR) world.errorLines.push_back(said);
  }

 private:
  World& world;
};

World::World(uint64_t seed)
    : theSeed(seed),
      wire(time, terrain, *this, seed, *this),
      stacks([this](DeviceIndex index) -> NetworkStack& { return devices[index]->network(); }),
      tasks(*this) {}

// KJ wants its callback on the real stack; AddressSanitizer would keep it elsewhere.
[[clang::no_sanitize("address")]] World::~World() noexcept(false) {
  LogCatcher quiet(*this);
  tasks.clear();
  for (auto& device: devices) device->kill();
  wire.couriers.clear();
}

Device& World::addDevice(std::string name, const Profile& profile) {
  auto& directory = plugins[profile.name];
  if (directory.get() == nullptr) directory = pluginDirectory(profile.tasks);
  auto device = kj::heap<Device>(DeviceSurroundings{theSeed, time, wire, history, tasks, dying},
      static_cast<DeviceIndex>(devices.size()), kj::mv(name), profile, *directory);
  device->network().setDirectory(&stacks);
  devices.push_back(kj::mv(device));
  return *devices.back();
}

Device& World::device(kj::StringPtr name) {
  for (auto& device: devices) {
    if (device->called() == name.cStr()) return *device;
  }
  KJ_FAIL_REQUIRE("the world has no such device", name);
}

kj::Maybe<Device&> World::find(const DeviceId& id) {
  for (auto& device: devices) {
    KJ_IF_MAYBE(own, device->id()) {
      if (*own == id) return *device;
    }
  }
  return nullptr;
}

[[clang::no_sanitize("address")]] void World::runUntil(kj::TimePoint end, const bool& enough) {
  LogCatcher catcher(*this);
  time.run(scope, end, enough);
  KJ_IF_MAYBE(e, failure) kj::throwFatalException(kj::mv(*e));
}

uint64_t World::fingerprint() {
  auto whole = print;
  for (auto& device: devices) {
    whole.add(device->disk.syncs).add(device->starts);
    KJ_IF_MAYBE(node, device->node()) {
      for (auto envelope: node->circle().log().envelopes()) whole.add(envelope);
    }
  }
  return whole.value();
}

void World::delivered(
    uint64_t connection, DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) {
  foldDelivery(from, to, bytes);
  eavesdropper.heard(connection, to, bytes);
  history.addMessage(
      {time.now(), connection, from, to, static_cast<uint32_t>(bytes.size()), bytes[0]});
}

void World::datagram(DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) {
  foldDelivery(from, to, bytes);
  auto first = bytes.size() > 0 ? bytes[0] : kj::byte{0};
  history.addMessage(
      {time.now(), History::NO_CONNECTION, from, to, static_cast<uint32_t>(bytes.size()), first});
}

void World::foldDelivery(DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) {
  ++deliveredCount;
  deliveredByteCount += bytes.size();
  print.add(static_cast<uint64_t>(time.elapsed() / kj::NANOSECONDS))
      .add((uint64_t{from} << 32) | to)
      .add(bytes);
}

void World::tampered(DeviceIndex from, DeviceIndex to) {
  ++tamperedCount;
  print.add(tamperedCount).add((uint64_t{from} << 32) | to);
  history.add(from, "fault",
      kj::str("somebody changes what it sends to ", devices[to]->called().c_str()).cStr());
}

void World::opened(uint64_t connection, DeviceIndex from, DeviceIndex to) {
  print.add(connection).add((uint64_t{from} << 32) | to);
  history.add(from, "connection",
      kj::str("to ", devices[to]->called().c_str(), ", number ", connection).cStr());
}

void World::taskFailed(kj::Exception&& e) {
  if (failure == nullptr) failure = kj::mv(e);
}

}  // namespace hearth::sim
