#include "devices/data/own-entries.h"

#include <kj/debug.h>

namespace hearth::devices {

// At an end in good order the anchor is as new as the database.
OwnEntries::~OwnEntries() noexcept(false) {
  tasks.clear();
  if (owesAnchor)
    around.keeper.rollbackAnchors().entriesReachedLast(around.keeper.selfId(), heads());
}

void OwnEntries::begin() {
  auto& once = around.keeper.rollbackAnchors().entries();
  if (once.author == around.keeper.selfId()) {
    for (auto& [collection, point]: once.of) around.log.hadOnce(collection, point.rows);
  }
  auto missing = around.log.ownMissing();
  if (missing == 0) return;
  KJ_LOG(WARNING, "entries that this device has written are gone from its disk", missing);
  if (isAlone()) around.keeper.doubtKeys();
}

void OwnEntries::peerUp() {
  if (awaitsOthers || around.log.ownMissing() == 0) return;
  awaitsOthers = true;
  tasks.add(awaitOthers());
}

kj::Promise<void> OwnEntries::awaitOthers() {
  co_await around.timer.afterDelay(GIVEN_BACK_WITHIN);
  if (around.log.ownMissing() > 0) around.keeper.doubtKeys();
}

bool OwnEntries::isAlone() const {
  auto& self = around.keeper.selfId();
  return around.keeper.isActive(self) && around.keeper.state().countActive() == 1;
}

OwnHeads OwnEntries::heads() const {
  OwnHeads found;
  for (auto& own: around.log.ownHeads())
    found.emplace_back(own.collection, AnchorPoint{own.head.entries, own.head.hash});
  return found;
}

void OwnEntries::stored(const storage::Log::Stored& entry) {
  if (entry.head.author != around.keeper.selfId() || owesAnchor) return;
  owesAnchor = true;
  tasks.add(anchorSoon());
}

kj::Promise<void> OwnEntries::anchorSoon() {
  co_await around.timer.afterDelay(ANCHORED_WITHIN);
  owesAnchor = false;
  co_await around.keeper.rollbackAnchors().entriesReached(around.keeper.selfId(), heads());
}

std::vector<std::string> OwnEntries::alarms() const {
  if (around.log.ownMissing() == 0) return {};
  return {
      "entries that this device has written are gone from its disk: it asks the other devices for them, and "
      "writes nothing beside them before"};
}

void OwnEntries::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "the anchor of the operation log", e);
}

}  // namespace hearth::devices
