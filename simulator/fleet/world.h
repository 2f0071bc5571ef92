#pragma once
// A World is one deterministic universe: one thread, one virtual clock, one seed. Devices in it run
// the shipping Node; only the seams are simulated. Equal seeds give equal fingerprints.

#include "simulator/fleet/device.h"
#include "simulator/wire/eavesdropper.h"
#include "simulator/world/fingerprint.h"

namespace hearth::sim {

class World final: private WireObserver, private kj::TaskSet::ErrorHandler {
 public:
  explicit World(uint64_t seed);
  ~World() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(World);

  // Building. Profiles are kept by the caller for as long as the world lives.
  NetworkIndex addNetwork(NetworkKind kind) { return terrain.addNetwork(kj::mv(kind)); }
  Device& addDevice(std::string name, const Profile& profile);

  Device& device(kj::StringPtr name);
  Device& device(DeviceIndex index) { return *devices[index]; }
  size_t deviceCount() const { return devices.size(); }
  kj::Maybe<Device&> find(const DeviceId& id);

  // Lets `span` pass. Throws what went wrong in the world itself, as a livelock.
  void run(kj::Duration span) { runUntil(time.now() + span); }
  void runUntil(kj::TimePoint end, const bool& enough = WorldTime::NEVER_ENOUGH);

  // Work of the story: steps, faults, people. Its failure is the world's.
  void add(kj::Promise<void> task) { tasks.add(kj::mv(task)); }

  // The fold of every delivery, of every result noted, and of what disks hold at the time of asking.
  uint64_t fingerprint();
  void fold(kj::StringPtr result) { fold(result.asBytes()); }
  void fold(kj::ArrayPtr<const kj::byte> result) { print.add(result); }

  // Lines that the shipping code logged as an error: nobody expects any.
  const std::vector<std::string>& errors() const { return errorLines; }

  uint64_t seed() const { return theSeed; }
  uint64_t connections() const { return wire.connections; }
  uint64_t deliveries() const { return deliveredCount; }
  uint64_t deliveredBytes() const { return deliveredByteCount; }
  uint64_t tamperings() const { return tamperedCount; }
  const auto& datagrams() const { return wire.datagrams; }

 private:
  class LogCatcher;
  uint64_t theSeed;
  kj::EventLoop loop;
  kj::WaitScope scope{loop};

 public:
  WorldTime time;
  Terrain terrain;
  History history{time};
  Eavesdropper eavesdropper;

 private:
  Fingerprint print;
  uint64_t deliveredCount = 0, deliveredByteCount = 0, tamperedCount = 0;
  std::vector<std::string> errorLines;
  bool dying = false;
  std::map<std::string, kj::Own<const kj::Directory>> plugins;  // by profile
  kj::Maybe<kj::Exception> failure;
  WireParts wire;
  NetworkStack::Directory stacks;
  std::vector<kj::Own<Device>> devices;
  kj::TaskSet tasks;

  void delivered(uint64_t connection, DeviceIndex from, DeviceIndex to,
      kj::ArrayPtr<const kj::byte> bytes) override;
  void opened(uint64_t connection, DeviceIndex from, DeviceIndex to) override;
  void datagram(DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes) override;
  void tampered(DeviceIndex from, DeviceIndex to) override;
  void foldDelivery(DeviceIndex from, DeviceIndex to, kj::ArrayPtr<const kj::byte> bytes);
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::sim
