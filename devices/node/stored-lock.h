#pragma once
// The lock of pairing (SECURITY.md §4.3) as it is kept on disk, so that a restart does not unlock it.
// Read once in a process: its time begins again when it is read.

#include "crypto/pairing/lock.h"
#include "storage/sql/store.h"

#include <kj/timer.h>

namespace hearth::devices {

class StoredLock final {
 public:
  static kj::Promise<StoredLock> read(storage::Store& store, kj::Timer& timer);

  // Errors: PAIRING_LOCKED.
  Result<void> admit() { return lock.admit(timer.now()); }
  // A guess that was wrong. Whether pairing is locked now.
  kj::Promise<bool> fail();
  kj::Promise<void> succeed();

 private:
  storage::Store& store;
  kj::Timer& timer;
  crypto::PairingLock lock;

  StoredLock(storage::Store& store, kj::Timer& timer, crypto::PairingLock lock)
      : store(store),
        timer(timer),
        lock(lock) {}
  kj::Promise<void> write(bool locked);
};

}  // namespace hearth::devices
