#include "devices/node/anchor-keeper.h"

#include <kj/debug.h>

namespace hearth::devices {

AnchorKeeper::AnchorKeeper(Surroundings around, const StoredCircle& stored)
    : around(around),
      tasks(*this) {
  auto found = Anchor::read(around.home, around.identity.storage);
  KJ_REQUIRE(found.has_value(), "the rollback anchor is refused", found.error().because);
  AnchorPoint now{stored.rows, stored.hash};
  KJ_IF_MAYBE(known, *found) {
    anchor = *known;
    onDisk = known->counter;
    bool behind = known->ops.rows > now.rows || (known->ops.rows == now.rows && known->ops != now);
    if (behind) owed = known->ops.rows;
  }
  anchor.ops = now;
  isReplaced = anchor.counter < stored.anchored;
  if (isReplaced) KJ_LOG(WARNING, "the rollback anchor is older than the database, or gone");
  if (!isReplaced && onDisk > 0) return;
  anchor.counter = stored.anchored;
  writeNow();
}

void AnchorKeeper::writeNow() {
  ++anchor.counter;
  KJ_IF_MAYBE(e,
      kj::runCatchingExceptions([&]() { anchor.write(around.home, around.identity.storage); })) {
    KJ_LOG(WARNING, "the rollback anchor could not be written", e->getDescription());
  } else {
    onDisk = anchor.counter;
  }
}

kj::Promise<bool> AnchorKeeper::isOlderThanCounter() {
  KJ_IF_MAYBE(counter, around.counter) {
    Result<kj::Maybe<uint64_t>> read = kj::Maybe<uint64_t>();
    co_await around.aside.execute([&]() { read = counter->read(); });
    if (!read) {
      trouble = read.error();
      co_return false;
    }
    stands = *read;
    said = judgeCounter(anchor.outside, stands);
    if (said == CounterSays::REMOVED) {
      auto noted = KJ_ASSERT_NONNULL(anchor.outside);
      if (co_await step() && isBeyond(noted, KJ_ASSERT_NONNULL(stands)))
        said = CounterSays::ROLLED_BACK;
    }
  }
  co_return said == CounterSays::ROLLED_BACK;
}

// A counter that could not be asked at the start is not moved on: what it would have said is not to be lost.
kj::Promise<void> AnchorKeeper::follow() {
  if (around.counter == nullptr || (trouble != nullptr && stands == nullptr)) co_return;
  bool owesStep =
      said == CounterSays::UNUSED || said == CounterSays::UNFINISHED || said == CounterSays::OTHER;
  if (owesStep) co_await step();
  co_await note();
  if (goesOn()) tasks.add(keepStepping());
}

// What is wrong with it will not be right before the next start.
bool AnchorKeeper::goesOn() const {
  return trouble.map([](auto& error) { return error.code == Errc::BUSY; }).orDefault(true);
}

// The anchor goes first: a crash between leaves it one ahead, and nothing else does.
kj::Promise<bool> AnchorKeeper::step() {
  auto& counter = KJ_ASSERT_NONNULL(around.counter);
  KJ_IF_MAYBE(now, stands) {
    anchor.outside = *now + 1;
  } else {
    auto noted = anchor.outside.orDefault(COUNTER_BEGINS);
    anchor.outside = noted == COUNTER_BEGINS ? COUNTER_BEGINS : noted + 1;
  }
  if (!co_await write()) co_return false;
  Result<uint64_t> stepped = no(Errc::BUSY, "");
  co_await around.aside.execute([&]() { stepped = counter.advance(); });
  if (!stepped) {
    KJ_LOG(WARNING, "the rollback counter does not go on", stepped.error().because);
    trouble = stepped.error();
    co_return false;
  }
  trouble = nullptr;
  stands = *stepped;
  co_return true;
}

// Where the first step ends is known when it is made, and somebody else may have made one.
kj::Promise<void> AnchorKeeper::note() {
  KJ_IF_MAYBE(now, stands) {
    auto expected = anchor.outside.orDefault(COUNTER_BEGINS);
    if (*now == expected || (trouble != nullptr && *now + 1 == expected)) co_return;
    anchor.outside = *now;
    co_await write();
  }
}

kj::Promise<void> AnchorKeeper::keepStepping() {
  while (goesOn()) {
    KJ_IF_MAYBE(due, pace.due()) {
      auto now = around.timer.now();
      if (*due > now) {
        co_await around.timer.afterDelay(*due - now).exclusiveJoin(paced.wait());
        continue;
      }
      pace.stepped(now);
      if (!co_await step()) pace.failed(now);
      co_await note();
    } else {
      co_await paced.wait();
    }
  }
}

kj::Promise<void> AnchorKeeper::opsReached(AnchorPoint ops) {
  anchor.ops = ops;
  co_await write();
  pace.changed(CounterPace::Of::OPS, around.timer.now());
  paced.ring();
}

void AnchorKeeper::take(const DeviceId& self, OwnHeads heads) {
  if (anchor.entries.author != self) anchor.entries = {self, {}};
  std::map<crypto::CollectionId, AnchorPoint> next;
  auto& before = anchor.entries.of;
  for (auto& [collection, point]: heads) {
    if (next.size() == Anchor::COLLECTIONS_MAX) break;
    auto known = before.find(collection);
    bool isGone = known != before.end() && known->second.rows > point.rows;
    next[collection] = isGone ? known->second : point;
  }
  for (auto& known: before) {
    if (next.size() < Anchor::COLLECTIONS_MAX) next.insert(known);
  }
  before = kj::mv(next);
}

kj::Promise<void> AnchorKeeper::entriesReached(const DeviceId& self, OwnHeads heads) {
  take(self, kj::mv(heads));
  co_await write();
  pace.changed(CounterPace::Of::ENTRIES, around.timer.now());
  paced.ring();
}

void AnchorKeeper::entriesReachedLast(const DeviceId& self, OwnHeads heads) {
  take(self, kj::mv(heads));
  writeNow();
}

// Whoever comes later writes later, as executors go.
kj::Promise<bool> AnchorKeeper::write() {
  ++anchor.counter;
  auto copy = anchor;
  auto& home = around.home;
  auto& key = around.identity.storage;
  try {
    co_await around.aside.execute([copy, &home, &key]() { copy.write(home, key); });
    onDisk = copy.counter;
    co_return true;
  } catch (const kj::Exception& e) {
    KJ_LOG(WARNING, "the rollback anchor could not be written", e.getDescription());
  }
  co_return false;
}

AnchorSources AnchorKeeper::sources() const {
  AnchorSources found{.file = onDisk > 0};
  KJ_IF_MAYBE(counter, around.counter) {
    if (trouble == nullptr) found.counter = counter->describe().cStr();
    KJ_IF_MAYBE(error, trouble) found.counterFails = error->because.cStr();
  }
  return found;
}

std::vector<std::string> AnchorKeeper::alarms() const {
  std::vector<std::string> lines;
  if (isReplaced)
    lines.push_back("the anchor beside the database was put back or removed: somebody else writes "
                    "to this device's files");
  if (said == CounterSays::REMOVED)
    lines.push_back("the counter that shows whether this disk was put back was removed, or is in "
                    "another machine: a new one is begun");
  if (said == CounterSays::OTHER)
    lines.push_back("the counter that shows whether this disk was put back is behind what was "
                    "noted: it is another machine's, or was put back itself");
  bool wasUsed = anchor.outside.orDefault(COUNTER_BEGINS) != COUNTER_BEGINS;
  KJ_IF_MAYBE(error, trouble) {
    if (wasUsed) lines.push_back(error->because.cStr());
  }
  if (around.counter == nullptr && wasUsed)
    lines.push_back("this machine has no counter, and had one: whether this disk was put back is "
                    "not known");
  return lines;
}

void AnchorKeeper::taskFailed(kj::Exception&& e) {
  KJ_LOG(ERROR, "the rollback counter is not moved on any more", e);
}

}  // namespace hearth::devices
