#pragma once
// Where the ops of a circle go: to the disk in turns, each turn behind the one before it, and behind
// each commit the rollback anchor (anchor-keeper.h).

#include "devices/node/anchor-keeper.h"

#include <kj/function.h>
#include <kj/timer.h>

#include <set>

namespace hearth::devices {

class OpsOnDisk final: private kj::TaskSet::ErrorHandler {
 public:
  // A disk that does not take what peers have brought is asked again.
  static constexpr kj::Duration STORE_AGAIN_AFTER = 10 * kj::SECONDS;

  // All outlive this object. `log` may grow meanwhile.
  struct Surroundings {
    const crypto::MembershipLog& log;
    storage::Store& store;
    kj::Timer& timer;
    AnchorKeeper& anchors;
  };

  explicit OpsOnDisk(Surroundings around)
      : around(around),
        turn(kj::Promise<void>(kj::READY_NOW).fork()),
        tasks(*this) {}

  // The log as the disk held it is in the memory now.
  void loaded();

  // One writes at a time; a turn that fails ends with its own exception, and the next one goes on.
  kj::Promise<Result<void>> inTurn(kj::Function<kj::Promise<Result<void>>()> write);

  // Only in a turn: puts what the log holds and the disk does not there, and `own` on top of it.
  kj::Promise<void> write(const std::vector<crypto::SealedOp>& own);

  // Ops that came in count at once; a full disk may take them later. Whether it has taken them now.
  kj::Promise<bool> kept();
  void keep();

 private:
  Surroundings around;
  std::set<OpHash> stored;       // of the log's ops
  kj::ForkedPromise<void> turn;  // of writing, one at a time
  bool storesAgain = false;
  kj::TaskSet tasks;

  void keepLater();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
