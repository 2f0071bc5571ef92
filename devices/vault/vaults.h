#pragma once
// VAULTs: devices of the circle that hold everything and can read nothing. On a member: what it brings there, what comes
// from there, and whether what was taken is still there. On a VAULT: what it holds (docs/adr/0100).

#include "core/base/holding.h"
#include "devices/data/peer-streams.h"
#include "devices/node/circle-keeper.h"
#include "devices/vault/vault-audit.h"
#include "devices/vault/vault-holdings.h"
#include "devices/vault/vault-pushing.h"
#include "devices/vault/vault-reading.h"

namespace hearth::devices {

// First byte of a lane stream's header: what the stream is for.
constexpr kj::byte STREAM_KIND_VAULT = 8;

class Vaults final {
 public:
  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    Entropy& entropy;
    storage::Store& store;
    storage::Log& log;
    const CircleKeeper& keeper;
    transport::Links& links;
    const kj::Directory& home;
    Executor& files;
    const BlobCircle& circle;
    BulkGate& gate;
    BlobExchange& exchange;
    BlobDisk& disk;
    Blobs& blobs;
    DeviceId self;
  };
  explicit Vaults(Surroundings around);
  ~Vaults() noexcept(false);

  // The log is loaded. To be awaited before anything else is asked.
  kj::Promise<void> start();

  void peerUp(const DeviceId& peer);
  void peerDown(const DeviceId& peer);
  void incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);
  // Somebody has become a VAULT, or is none any more.
  void circleChanged();

  VaultHoldings& holdings() { return own; }
  const VaultFaults& faults() const { return found; }
  // What the VAULT should hold by what members have said; of this device, where it is one, what it holds.
  kj::Promise<storage::vault_shelves::Usage> usage(DeviceId vault);
  // What the user should know, a line each.
  std::vector<std::string> alarms(kj::FunctionParam<std::string(const DeviceId&)> nameOf) const;
  void addTo(Holdings& holdings) const;

 private:
  // A stream to a VAULT, and all that goes over it.
  class Member;

  Surroundings around;
  VaultHoldings own{{around.store, around.files, around.home, around.entropy}};
  VaultLog log{around.store, around.log, [this]() { reading.shelvesChanged(); }};
  VaultFaults found;
  VaultReading reading{{around.timer, around.clock, around.store, around.disk, around.circle,
      around.gate, around.exchange, found}};
  std::map<DeviceId, Member*> members;  // by VAULT
  PeerStreams<VaultSession> streams;

  bool isVault(const DeviceId& device) const;
  bool isBetween(const DeviceId& peer) const;
  kj::Own<VaultSession> begin(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream);
};

}  // namespace hearth::devices
