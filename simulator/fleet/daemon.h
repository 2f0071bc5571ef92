#pragma once
// The process of one device of a world: what hearthd builds in its main, over simulated seams. It
// exists from its start to its end or kill; the device's disk outlives it.

#include "bindings/local/server.h"
#include "simulator/disk/sim-disk.h"
#include "simulator/engines/modelled-engine.h"
#include "simulator/fleet/false-admin.h"
#include "simulator/fleet/profile.h"
#include "simulator/fleet/sim-folders.h"
#include "simulator/wire/sim-local-link.h"
#include "simulator/wire/sim-network.h"
#include "simulator/world/device-time.h"
#include "storage/sql/directory-vfs.h"

namespace hearth::sim {

// What a process finds on its device.
struct DaemonParts {
  WorldTime& worldTime;
  DeviceTime& time;
  Entropy& entropy;
  SimDisk& disk;
  SimFolders& folders;
  kj::Network& network;
  SimLocalLink::Surroundings link;
  Processor& processor;
  const Profile& profile;
  const kj::ReadableDirectory& plugins;
  EngineFaults& engineFaults;
  Trace& trace;
  Chance chance;  // the same for every process of the device
  Chance engineChance;
  std::string name;
  std::vector<std::string> addresses;  // where others may find this device
  kj::Maybe<devices::Recording> microphone;
  bool takesDatagrams;
  bool keysLocked;  // the platform gives no key away yet
  bool hasAes;      // whatever machine simulates it
  bool onBattery;
  double batteryLevel;
  devices::OutlookSource& outlook;
  kj::Maybe<devices::RollbackCounter&> counter;  // none: the machine has no such chip
  kj::Function<void(const DeviceId&)> becomes;   // told whenever the device takes other keys
  // Told when a daemon that answers already cannot start after all: hearthd's process ends then.
  kj::Function<void(kj::StringPtr why)> fails;
};

constexpr uint16_t HEARTH_PORT = 7'427;
// Several changes come together; hearthd's AddressWatch waits as long.
constexpr kj::Duration NETWORKS_SETTLE = 500 * kj::MILLISECONDS;

// Work that would block, inline on the loop, after the time that the device's disk takes for it.
class SimExecutor final: public Executor {
 public:
  SimExecutor(kj::Timer& timer, SimDisk& disk): timer(timer), disk(disk) {}
  kj::Promise<void> execute(kj::Function<void()> work) override;

 private:
  kj::Timer& timer;
  SimDisk& disk;
  InlineExecutor inner;
};

class SimKeyStore final: public devices::KeyStore {
 public:
  // `seed`: 32 bytes, by device.
  SimKeyStore(const DeviceId& seed, bool locked)
      : root(crypto::PlatformRoot::from(seed.asBytes()).value()),
        locked(locked) {}
  const crypto::PlatformRoot& platformRoot() override;
  kj::StringPtr describe() const override { return "a simulated key store"; }

 private:
  crypto::PlatformRoot root;
  bool locked;
};

class Daemon final {
 public:
  explicit Daemon(DaemonParts parts);
  ~Daemon() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Daemon);

  // hearth init: a new circle with this device as its admin.
  kj::Promise<void> init();

  // hearth join --code: waits for an admin. `shown` is given the code.
  kj::Promise<Result<void>> join(kj::Function<void(kj::String)> shown);

  // hearthd: runs until this object is destroyed. Resolves when the node answers others; false when
  // the device has no circle.
  kj::Promise<Result<bool>> run();

  // The same for a device that somebody else has in hand now.
  kj::Promise<void> runFalsely();
  // None unless that was called.
  kj::Maybe<FalseAdmin&> falseAdmin() {
    if (thief.get() == nullptr) return nullptr;
    return *thief;
  }

  // None before run() has begun the node.
  kj::Maybe<devices::Node&> node() {
    if (running.get() == nullptr) return nullptr;
    return *running;
  }

  // An app's connection to the local API, as over the Unix socket of a hearthd. Throws DISCONNECTED
  // before the node has begun. It ends with this object.
  kj::Own<kj::AsyncIoStream> connect();

  const DeviceId& id() const { return identity.keys.id; }
  // What the next process would find if power went now and nothing that was not synced had luck; or
  // why it would not start.
  std::expected<devices::StoredCircle, std::string> afterPowerLoss();

  crypto::DeviceKeys& keys() { return identity.keys; }
  storage::Store& database() { return *store; }

 private:
  DaemonParts parts;
  kj::Own<const kj::Directory> home;
  SimKeyStore keyStore;
  storage::DirectoryVfs vfs;
  devices::Identity identity;
  SimExecutor executor;
  kj::Own<storage::Store> store;
  ModelledEngineHost engines;
  kj::Own<const kj::Directory> system;
  kj::Own<SimLocalLink> localLink;  // of hearthd and hearth join, not of hearth init
  kj::Own<devices::Node> running;
  kj::Own<FalseAdmin> thief;
  kj::Own<local::Server> server;
  kj::Promise<void> starting = nullptr;
  kj::Promise<void> following = nullptr;  // changes of network
  kj::Promise<void> renewing = nullptr;
  kj::Promise<void> beginning = nullptr;

  kj::Promise<void> renewed();
  kj::Promise<void> followNetworks();
  devices::Identity openIdentity();
  kj::Own<storage::Store> openStore();
  kj::Own<const kj::Directory> describeSystem() const;
};

}  // namespace hearth::sim
