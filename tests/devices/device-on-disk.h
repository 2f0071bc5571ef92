#pragma once
// A device with a folder of keys and a database, both in memory, that processes come and go over.

#include "core/loop/uv-event-port.h"
#include "devices/node/circle-keeper.h"
#include "simulator/disk/sim-disk.h"
#include "tests/devices/root-in-memory.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {

struct DeviceOnDisk {
  crypto::CountingEntropy entropy{1};
  RootInMemory root;
  kj::Own<const kj::Directory> keys = kj::newInMemoryDirectory(kj::nullClock());
  Identity identity = Identity::create(*keys, root, entropy, 0);
  crypto::RecoveryKeys recovery =
      crypto::RecoveryKeys::fromSeed(crypto::RecoverySeed::draw(entropy));
  sim::SimDisk disk{sim::Chance(1)};
  storage::Home home{disk.directory()};
  UvLoop uv;
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  InlineExecutor executor;
  kj::Maybe<RollbackCounter&> counter;  // of the machine

  // It is the first of a circle.
  DeviceOnDisk() {
    storage::Store store{executor, home.open()};
    StoredCircle::found(recovery, identity, store, kj::nullClock(), entropy).wait(uv.waitScope);
  }

  StoredCircle stored(storage::Store& store) {
    auto read = StoredCircle::read(store).wait(uv.waitScope).value();
    return kj::mv(KJ_ASSERT_NONNULL(read));
  }
  kj::Own<CircleKeeper> keeperOf(
      StoredCircle circle, storage::Store& store, CircleKeeper::Observer& observer) {
    return kj::heap<CircleKeeper>(kj::mv(circle), identity, store, timer, kj::nullClock(), entropy,
        *keys, executor, counter, observer);
  }
};

}  // namespace hearth::devices
