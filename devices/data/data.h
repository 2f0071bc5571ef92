#pragma once
// The data of this device: its operation log, what lives in it, how it is kept in step with the other devices, and
// blobs.

#include "devices/data/blobs.h"
#include "devices/data/chunk-sweeping.h"
#include "devices/data/keeping-in-step.h"
#include "devices/data/log-circle.h"
#include "devices/data/own-entries.h"
#include "devices/data/presence.h"
#include "devices/folders/folders.h"
#include "storage/documents/documents.h"

namespace hearth::devices {

class Clipboard;
class Search;
class SharedSettings;
class Vaults;

class Data final: private kj::TaskSet::ErrorHandler {
 public:
  // All outlive the data.
  struct Surroundings {
    kj::Timer& timer;
    const kj::Clock& clock;
    Trace& trace;
    Entropy& entropy;
    storage::Store& store;
    CircleKeeper& keeper;
    const Identity& identity;
    transport::Links& links;
    const kj::Directory& home;
    Executor& files;  // where files are read and written
    // None: this device can have no folders.
    kj::Maybe<FolderSystem&> folders = nullptr;
    // None: nothing is known of battery and network.
    kj::Maybe<OutlookSource&> outlook = nullptr;
  };
  explicit Data(Surroundings around);
  ~Data() noexcept(false);

  // Reads the log. A damaged one is said to be so, and nothing is done with it.
  kj::Promise<void> start();

  // Resolves when the log can be used. Throws when it is damaged.
  kj::Promise<void> ready() { return loaded.addBranch(); }
  storage::Documents& documents() { return all; }
  const storage::Log& operations() const { return log; }
  // Blobs of other devices, and for them.
  BlobExchange& exchange() { return blobExchange; }
  // How much of them goes, and when.
  BulkGate& gate() { return bulkGate; }
  const BulkGate& gate() const { return bulkGate; }
  // Devices that have sent other bytes than blobs have.
  const std::map<DeviceId, Error>& liars() const { return blobExchange.liars(); }
  const BlobCircle& blobKeys() const { return blobCircle; }
  // Those that people put and name.
  Blobs& blobs() { return namedOnes; }
  // Who is at documents just now.
  Presence& presence() { return whoIsWhere; }
  // What was copied, for as long as it lives.
  Clipboard& clipboard() { return *copied; }
  // How long it lives on this device if nobody says otherwise; none: until it is cleared.
  kj::Maybe<kj::Duration> usualClipLifetime();
  // Values that all devices share.
  SharedSettings& settings() { return *shared; }
  // Directories that are the same on several devices.
  kj::Maybe<Folders&> folders() {
    return ownFolders.map([](kj::Own<Folders>& all) -> Folders& { return *all; });
  }
  // Devices of the circle that hold all of that and can read none of it.
  Vaults& vaults() { return *allVaults; }
  const Vaults& vaults() const { return *allVaults; }
  // For another device: which files of a folder this one keeps (devices/folders/proving.h).
  kj::Promise<std::vector<bool>> keeps(const DeviceId& peer, const crypto::CollectionId& folder,
      std::vector<FolderProving::Asked> files);
  // What can be found in all of that.
  Search& search() { return *found; }
  // Devices that are known to have all that this one has, and nothing else.
  std::vector<DeviceId> inStepWith() const { return inStep.inStepWith(); }

  void peerUp(const DeviceId& peer);
  void peerDown(const DeviceId& peer);
  // A stream of the kind that its header's first byte says.
  void incoming(const DeviceId& peer, kj::byte kind, kj::Own<kj::AsyncIoStream> stream);
  void circleChanged();
  void addTo(Holdings& holdings) const;
  // What the user should know, a line each.
  std::vector<std::string> alarms() const;

 private:
  Surroundings around;
  LogCircle circle{around.keeper, around.identity};
  storage::Log log{{around.clock, around.entropy, around.store, circle}};
  storage::Documents all{{around.clock, around.store, log, circle}};
  OwnEntries own{{around.timer, log, around.keeper}};
  KeepingInStep inStep;
  BlobCircle blobCircle{around.keeper};
  BulkGate bulkGate{{around.timer, around.clock, around.store, around.outlook}};
  BlobExchange blobExchange{
      {around.timer, around.trace, around.links, blobCircle, bulkGate, around.identity.keys.id}};
  Presence whoIsWhere;
  kj::Own<Clipboard> copied;
  BlobDisk blobDisk{around.files, around.home, around.entropy};
  storage::Documents blobNames{{around.clock, around.store, log, circle}, namedBlobs()};
  Blobs namedOnes{{around.timer, around.keeper, blobExchange,
      {around.clock, around.store, blobDisk, blobCircle}, blobNames}};
  ChunkSweeping sweeping{around.timer, around.store};
  storage::Documents settingsKept;
  kj::Own<SharedSettings> shared;
  kj::Maybe<kj::Own<Folders>> ownFolders;
  kj::Own<Vaults> allVaults;
  kj::Own<Search> found;
  kj::PromiseFulfillerPair<void> loading = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> loaded = loading.promise.fork();
  bool isLoaded = false;
  size_t epochs = 0;  // whose secrets were known when the log was read last
  kj::TaskSet tasks;

  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
