#include "devices/node/stored-lock.h"

#include "storage/tables/settings.h"

namespace hearth::devices {

namespace {

constexpr kj::StringPtr SETTING = "pairing-lock"_kj;  // u8 failures | u8 locked

}  // namespace

kj::Promise<StoredLock> StoredLock::read(storage::Store& store, kj::Timer& timer) {
  auto stored = co_await store.read(
      [](storage::Database& db) { return storage::settings::get(db, SETTING); });
  crypto::PairingLock lock;
  KJ_IF_MAYBE(bytes, stored) {
    if (bytes->size() == 2)
      lock = crypto::PairingLock::restored((*bytes)[0], (*bytes)[1] != 0, timer.now());
  }
  co_return StoredLock(store, timer, lock);
}

kj::Promise<bool> StoredLock::fail() {
  bool locked = lock.fail(timer.now());
  co_await write(locked);
  co_return locked;
}

kj::Promise<void> StoredLock::succeed() {
  if (lock.failures == 0 && lock.lockedUntil == nullptr) co_return;
  lock.succeed();
  co_await write(false);
}

kj::Promise<void> StoredLock::write(bool locked) {
  return store.write([failures = lock.failures, locked](storage::Database& db) {
    kj::byte value[] = {failures, locked};
    storage::settings::set(db, SETTING, value);
  });
}

}  // namespace hearth::devices
