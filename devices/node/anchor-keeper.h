#pragma once
// Keeps the rollback anchor behind the database, and the counter outside the disk behind the anchor, where
// there is one (SECURITY.md §10.4). Neither makes a commit wait for a chip.
//
//   commit ──▶ opsReached(), entriesReached() ──▶ keys/anchor ──▶ now and then: the counter (counter-machine.h)

#include "core/loop/executor.h"
#include "devices/node/anchor-sources.h"
#include "devices/node/anchor.h"
#include "devices/node/counter-machine.h"
#include "devices/node/stored-circle.h"
#include "devices/rollback-counter.h"
#include "transport/link/lane-stream.h"

#include <kj/timer.h>

namespace hearth::devices {

// Where a device wrote last comes first.
using OwnHeads = std::vector<std::pair<crypto::CollectionId, AnchorPoint>>;

class AnchorKeeper final: private kj::TaskSet::ErrorHandler {
 public:
  // All outlive the keeper.
  struct Surroundings {
    const Identity& identity;
    kj::Timer& timer;
    const kj::Directory& home;
    Executor& aside;  // where files and chips may be waited for
    kj::Maybe<RollbackCounter&> counter;
  };

  // `stored`: the ops as the disk holds them. Throws when the anchor is damaged.
  AnchorKeeper(Surroundings around, const StoredCircle& stored);

  // More ops were on this disk once than it holds now.
  bool isBehind() const { return owed > 0; }
  // How many there were.
  uint64_t rowsOnce() const { return owed; }
  // Of the newest anchor that is on disk: a commit notes it.
  uint64_t count() const { return onDisk; }

  // Asks the counter, once, before anything is written. True: this disk is an older copy of itself.
  // Nothing moves the counter on before follow().
  kj::Promise<bool> isOlderThanCounter();
  // What the counter has said is known, on disk if it was bad: from now on it goes where the anchor goes.
  kj::Promise<void> follow();

  // So far have ops come on disk; resolves when the anchor says so, or cannot be written.
  kj::Promise<void> opsReached(AnchorPoint ops);

  // How far this device had come in the operation log, as far as the anchor knows.
  const Anchor::Entries& entries() const { return anchor.entries; }
  // So far it has come; what is gone of what it had once stays in the anchor. Resolves as
  // opsReached() does.
  kj::Promise<void> entriesReached(const DeviceId& self, OwnHeads heads);
  // The same at the end, when nobody can wait for it any more.
  void entriesReachedLast(const DeviceId& self, OwnHeads heads);

  // All but the witnesses.
  AnchorSources sources() const;
  // What the user should know, a line each.
  std::vector<std::string> alarms() const;

 private:
  Surroundings around;
  Anchor anchor;            // as it is to be
  uint64_t onDisk = 0;      // its counter
  uint64_t owed = 0;        // ops that were here once
  bool isReplaced = false;  // the anchor is older than one that was here, or gone
  CounterSays said = CounterSays::UNUSED;
  kj::Maybe<uint64_t> stands;  // the counter
  kj::Maybe<Error> trouble;    // with it
  CounterPace pace;
  transport::Bell paced;
  kj::TaskSet tasks;

  void take(const DeviceId& self, OwnHeads heads);
  void writeNow();
  kj::Promise<bool> write();
  kj::Promise<bool> step();
  kj::Promise<void> note();
  bool goesOn() const;
  kj::Promise<void> keepStepping();
  void taskFailed(kj::Exception&& e) override;
};

}  // namespace hearth::devices
