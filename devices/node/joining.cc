#include "devices/node/joining.h"

#include "devices/node/circle-keeper.h"
#include "storage/tables/peers.h"

#include <kj/debug.h>

#include <map>

namespace hearth::devices {

namespace {

kj::Promise<void> rememberHints(storage::Store& store, const kj::Vector<crypto::PairHint>& hints) {
  std::map<DeviceId, storage::PeerRow> rows;
  for (auto& hint: hints) {
    auto& row = rows[hint.device];
    row.device = hint.device;
    row.addresses.emplace_back(hint.address.cStr());
  }
  return store.write([rows = kj::mv(rows)](storage::Database& db) {
    for (auto& [id, row]: rows) storage::peers::put(db, row);
  });
}

}  // namespace

kj::Promise<Result<void>> joinCircle(kj::Timer& timer, kj::ConnectionReceiver& receiver,
    const Identity& identity, storage::Store& store, Entropy& entropy, JoiningPerson& person) {
  auto lock = co_await StoredLock::read(store, timer);
  if (auto admitted = lock.admit(); !admitted) co_return no(admitted.error());
  crypto::EphemeralGuard guard([]() { KJ_FAIL_REQUIRE("an ephemeral key came twice"); });
  auto joined = co_await waitForAdmin(
      timer, receiver, identity.keys, identity.bundle, entropy, guard, person, lock);
  if (!joined) co_return no(joined.error());
  auto stored = co_await StoredCircle::join(joined->circle, joined->log, identity, store);
  if (!stored) co_return no(stored.error());
  co_await lock.succeed();
  co_await rememberHints(store, joined->hints);
  co_return Result<void>();
}

}  // namespace hearth::devices
