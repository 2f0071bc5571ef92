#include "devices/node/ops-on-disk.h"

#include "storage/tables/ops.h"

#include <kj/debug.h>

namespace hearth::devices {

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
  auto anchored = around.anchors.count();
  auto head = co_await around.store.write([fresh = kj::mv(fresh), anchored](storage::Database& db) {
    for (auto& op: fresh) storage::ops::append(db, op);
    StoredCircle::writeAnchored(db, anchored);
    return db.chains.at("ops");
  });
  stored.insert(hashes.begin(), hashes.end());
  co_await around.anchors.opsReached({head.rows, head.hash});
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
