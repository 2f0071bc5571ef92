// Owners who let a folder go in one direction for a while.

#include "simulator/story/owners.h"
#include "storage/tables/entries.h"

#include <kj/debug.h>

namespace hearth::sim {

using Direction = devices::Folders::Direction;

kj::Promise<bool> Owners::set(Device& device, Direction direction) {
  KJ_IF_MAYBE(node, device.node()) {
    try {
      co_await device.whileItRuns(node->data().ready());
      auto& folders = KJ_ASSERT_NONNULL(node->data().folders());
      co_return co_await device.whileItRuns(folders.set(FOLDER, direction));
    } catch (const kj::Exception& e) {
      world.history.add(
          device.index(), "step", kj::str("no direction: ", e.getDescription()).cStr());
    }
  }
  co_return false;
}

kj::Promise<kj::Maybe<Owners::Moved>> Owners::moved(Device& device) {
  KJ_IF_MAYBE(node, device.node()) {
    try {
      auto& folders = KJ_ASSERT_NONNULL(node->data().folders());
      auto views = co_await device.whileItRuns(folders.list());
      if (views.empty() || !views[0].status.problem.empty()) co_return nullptr;
      auto self = KJ_ASSERT_NONNULL(device.id());
      auto collection =
          KJ_ASSERT_NONNULL(devices::folderCollection(node->data().blobKeys(), FOLDER));
      auto said = co_await device.whileItRuns(
          device.process().database().read([self, collection](storage::Database& db) {
            return storage::entries::following(db, collection, devices::FOLDER_TOPIC, self);
          }));
      co_return Moved{said, views[0].status.receivedBytes};
    } catch (const kj::Exception&) {  // its daemon has ended
    }
  }
  co_return nullptr;
}

kj::Promise<bool> Owners::turn(Device& device, Direction direction, kj::Duration span) {
  if (!co_await set(device, direction)) co_return false;
  turned.insert(device.index());
  world.history.add(device.index(), "step",
      direction == Direction::SEND ? "its folder only sends" : "its folder only receives");
  auto starts = device.starts;
  auto before = co_await moved(device);
  co_await world.time.after(span);
  auto after = co_await moved(device);
  if (before != nullptr && after != nullptr && device.starts == starts) {
    auto& then = KJ_ASSERT_NONNULL(before);
    auto& now = KJ_ASSERT_NONNULL(after);
    if (direction == Direction::RECEIVE && now.said != then.said)
      complain(device, " has told what was changed in a folder that only receives");
    if (direction == Direction::SEND && now.received != then.received)
      complain(device, " has fetched files into a folder that only sends");
  }
  co_await turnBack(device);
  co_return true;
}

kj::Promise<void> Owners::turnBack(Device& device) {
  constexpr auto AGAIN_AFTER = 1 * kj::SECONDS;
  if (!turned.contains(device.index())) co_return;
  while (!co_await set(device, Direction::BOTH)) co_await world.time.after(AGAIN_AFTER);
  turned.erase(device.index());
  world.history.add(device.index(), "step", "its folder goes both ways");
}

}  // namespace hearth::sim
