#pragma once
// Brings what this device has to one VAULT, for as long as there is a stream to it: every named blob and every file of a
// folder that lies here and that nobody has put there yet. What was put is said in the operation log. A blob
// that was removed everywhere and a file that no folder has any more are taken away there as well, by whoever put them.
//
//   a commit ─▶ some seconds later: what is owed ─▶ sealed, put ─▶ on the VAULT's disk ─▶ said in the log

#include "devices/data/blobs.h"
#include "devices/vault/sealing.h"
#include "devices/vault/vault-client.h"
#include "devices/vault/vault-log.h"
#include "storage/tables/vault-owed.h"

#include <kj/timer.h>

namespace hearth::devices {

class VaultPushing final {
 public:
  static constexpr kj::Duration QUIET_FOR = 5 * kj::SECONDS;  // after a commit
  // A pass that finds nothing has looked at everything: it comes the less often the longer that takes.
  static constexpr int64_t RESTS = 20;
  // What another device is putting is left to it for so long.
  static constexpr kj::Duration LEFT_FOR = 10 * kj::MINUTES;
  static constexpr kj::Duration AGAIN_AFTER =
      60 * kj::SECONDS;  // what has failed, and where there was no room
  // Files of folders that no version of any path has any more are taken away, so often; the first time as long after the
  // VAULT was met.
  static constexpr kj::Duration TIDIES_EVERY = 15 * kj::MINUTES;
  static constexpr size_t BATCH_MAX = 256;
  static constexpr uint64_t BATCH_BYTES_MAX = 32 << 20;
  static constexpr size_t AT_ONCE_MAX = 16;
  static constexpr size_t LEFT_MAX = 16'384;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    Entropy& entropy;
    storage::Store& store;
    const BlobCircle& circle;
    BulkGate& gate;
    BlobExchange& exchange;
    BlobDisk& disk;
    Blobs& blobs;
    VaultLog& log;
    DeviceId self;
  };
  VaultPushing(Surroundings around, const DeviceId& vault, std::shared_ptr<VaultClient> client)
      : around(around),
        vault(vault),
        client(kj::mv(client)),
        tidiesAt(around.timer.now() + TIDIES_EVERY) {}

  // Goes on until the stream ends.
  kj::Promise<void> run();

  // The VAULT has no room.
  bool isFull() const { return full; }

 private:
  using Owed = storage::vault_owed::Owed;
  using Put = storage::ShelfChange::Put;
  using Source = std::vector<Owed> (*)(
      storage::Database& db, const DeviceId& vault, const ContentId& after, size_t most);

  Surroundings around;
  DeviceId vault;
  std::shared_ptr<VaultClient> client;
  std::map<ContentId, kj::TimePoint> left;  // to another device, since then
  kj::TimePoint tidiesAt;
  bool full = false, hasPut = false;

  kj::Promise<void> pass();
  kj::Promise<void> passOver(Source source);
  kj::Promise<void> dropRemoved();
  kj::Promise<void> dropUseless();
  kj::Promise<void> takeAway(crypto::CollectionId collection, std::vector<storage::BlobName> names);
  kj::Promise<void> bring(std::vector<Owed> owed);
  kj::Promise<void> sortOut(std::vector<Owed>& owed);
  kj::Promise<Result<Put>> push(Owed owed);
  kj::Promise<Result<crypto::Buffer>> nextPiece(Sealing& sealing);
  bool isLeft(const ContentId& content);
};

}  // namespace hearth::devices
