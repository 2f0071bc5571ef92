#include "devices/node/ops-on-disk.h"

#include "storage/tables/ops.h"

#include <kj/debug.h>

namespace hearth::devices {

OpsOnDisk::OpsOnDisk(Surroundings around, const StoredCircle& stored)
    : around(around),
      turn(kj::Promise<void>(kj::READY_NOW).fork()),
      chainRows(stored.rows),
      chainHash(stored.hash),
      tasks(*this) {
  auto found = Anchor::read(around.home, around.identity.storage);
  KJ_REQUIRE(found.has_value(), "the rollback anchor is refused", found.error().because);
  KJ_IF_MAYBE(known, *found) {
    anchor = *known;
    bool behind = anchor.rows > chainRows || (anchor.rows == chainRows && anchor.hash != chainHash);
    if (behind) owed = anchor.rows;
  }
  anchorReplaced = anchor.counter < stored.anchored;
  if (!anchorReplaced) return;
  KJ_LOG(WARNING, "the rollback anchor is older than the database, or gone");
  anchor.counter = stored.anchored;
  writeAnchor();
}

void OpsOnDisk::loaded() {
  for (auto& record: around.log.ops()) stored.insert(record.sealed.hash);
}

kj::Promise<Result<void>> OpsOnDisk::inTurn(kj::Function<kj::Promise<Result<void>>()> write) {
  auto done = turn.addBranch().then(kj::mv(write)).fork();
  turn = done.addBranch().ignoreResult().catch_([](kj::Exception&&) {}).fork();
  return done.addBranch();
}

kj::Promise<void> OpsOnDisk::write(const std::vector<crypto::SealedOp>& own) {
  std::vector<crypto::Buffer> fresh;
  std::vector<OpHash> hashes;
  auto envelopes = around.log.envelopes();
  for (size_t i = 0; i < envelopes.size(); ++i) {
    auto& hash = around.log.ops()[static_cast<crypto::OpIndex>(i)].sealed.hash;
    if (stored.contains(hash)) continue;
    hashes.push_back(hash);
    fresh.push_back(kj::heapArray<kj::byte>(envelopes[i]));
  }
  for (auto& op: own) {
    hashes.push_back(op.hash);
    fresh.push_back(kj::heapArray<kj::byte>(op.envelope.data(), op.envelope.size()));
  }
  if (fresh.empty()) co_return;
  auto anchored = anchor.counter;
  auto head = co_await around.store.write([fresh = kj::mv(fresh), anchored](storage::Database& db) {
    for (auto& op: fresh) storage::ops::append(db, op);
    StoredCircle::writeAnchored(db, anchored);
    return db.chains.at("ops");
  });
  chainRows = head.rows;
  chainHash = head.hash;
  writeAnchor();
  stored.insert(hashes.begin(), hashes.end());
}

void OpsOnDisk::writeAnchor() {
  Anchor next{anchor.counter + 1, chainRows, chainHash};
  KJ_IF_MAYBE(e,
      kj::runCatchingExceptions([&]() { next.write(around.home, around.identity.storage); })) {
    KJ_LOG(WARNING, "the rollback anchor could not be written", e->getDescription());
  } else {
    anchor = next;
  }
}

void OpsOnDisk::keep() {
  auto stored = kept();  // and goes on by itself
}

kj::Promise<bool> OpsOnDisk::kept() {
  auto stored = inTurn([this]() { return write({}).then([]() { return Result<void>(); }); })
                    .then([](Result<void> done) { return done.has_value(); },
                        [this](kj::Exception&& e) {
                          KJ_LOG(WARNING, "membership ops are in memory until the disk takes them",
                              e.getDescription());
                          keepLater();
                          return false;
                        })
                    .fork();
  // Whoever asked may go away before the disk has answered.
  tasks.add(stored.addBranch().ignoreResult());
  return stored.addBranch();
}

void OpsOnDisk::keepLater() {
  if (storesAgain) return;
  storesAgain = true;
  tasks.add(around.timer.afterDelay(STORE_AGAIN_AFTER).then([this]() {
    storesAgain = false;
    keep();
  }));
}

void OpsOnDisk::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "membership could not be stored", e);
}

}  // namespace hearth::devices
