#pragma once
// What devices have put on VAULTs, by what they say in the operation log (storage/vault/manifest.h): every member knows
// what a VAULT must have, whoever put it there, and needs not believe the VAULT.
//
//   files are on the VAULT's disk ─▶ say(): an entry of the log, signed, with the Merkle root ─▶ every member's table

#include "storage/log/log.h"
#include "storage/tables/vault-shelves.h"

#include <kj/function.h>

namespace hearth::devices {

class VaultLog final: private storage::Log::Follower {
 public:
  // Both outlive this object. `changed` is called when more is known.
  VaultLog(storage::Store& store, storage::Log& log, kj::Function<void()> changed)
      : store(store),
        log(log),
        changed(kj::mv(changed)) {
    log.follow(*this);
  }

  // The log is loaded: what it says is known when this resolves.
  kj::Promise<void> start() { return fold(); }

  // This device has put that on the VAULT, or is about to take it away there. Resolves when it is on disk, and known here.
  // Errors: those of Log::append.
  kj::Promise<Result<void>> say(DeviceId self, DeviceId vault, crypto::CollectionId collection,
      std::vector<storage::ShelfChange::Put> put, std::vector<storage::BlobName> dropped);

 private:
  storage::Store& store;
  storage::Log& log;
  kj::Function<void()> changed;
  kj::ForkedPromise<void> folding = kj::Promise<void>(kj::READY_NOW).fork();
  bool isToFold = false;    // and nobody has begun to
  kj::Maybe<int64_t> back;  // an entry of long ago can be read now
  kj::Promise<void> following = nullptr;

  kj::Promise<void> fold();
  kj::Promise<void> foldNow();
  void stored(const storage::Log::Stored& entry) override;
};

}  // namespace hearth::devices
