// How a document's changes are taken back and made again.

#include "storage/crdt/undo.h"
#include "storage/documents/live-document.h"

#include <kj/debug.h>

namespace hearth::storage {

namespace {

// The entries of this device that can be taken back, and those that can be made again; the next one last.
struct Steps {
  std::vector<uint64_t> done, takenBack;

  explicit Steps(const std::vector<entries::Written>& written) {
    for (auto& entry: written) {
      switch (static_cast<LiveDocument::Kind>(entry.kind)) {
        case LiveDocument::Kind::CHANGE:
          done.push_back(entry.seq);
          takenBack.clear();
          break;
        case LiveDocument::Kind::UNDO:
          if (!done.empty()) done.pop_back();
          takenBack.push_back(entry.seq);
          break;
        case LiveDocument::Kind::REDO:
          if (!takenBack.empty()) takenBack.pop_back();
          done.push_back(entry.seq);
          break;
      }
    }
  }
};

}  // namespace

// One at a time, and no change meanwhile: it is an entry of its own.
kj::Promise<Result<bool>> LiveDocument::takeBack(Kind kind) {
  auto done = turn.addBranch().then([this, kind]() { return takeBackNow(kind); }).fork();
  turn = done.addBranch().ignoreResult().catch_([](kj::Exception&&) {}).fork();
  return done.addBranch();
}

kj::Promise<Result<bool>> LiveDocument::takeBackNow(Kind kind) {
  co_await ready();
  if (!isQuiet()) {
    auto before = co_await written();
    if (!before) co_return no(before.error());
  }
  auto author = around.circle.self();
  auto steps = Steps(
      co_await around.store.read([collection = collection, name = name_, author](Database& db) {
        return entries::writtenBy(db, collection, name.c_str(), author);
      }));
  auto& from = kind == Kind::UNDO ? steps.done : steps.takenBack;
  if (from.empty()) co_return false;
  auto target = from.back();
  auto envelope = co_await around.store.read(
      [collection = collection, name = name_, author, target](
          Database& db) { return entries::find(db, collection, name.c_str(), author, target); });
  auto entry = Entry::read(kj::mv(KJ_ASSERT_NONNULL(envelope)));
  KJ_REQUIRE(entry.has_value(), "a stored entry is none", entry.error().because);
  auto content = around.log.contentOf(*entry);
  if (content == nullptr)
    co_return no(Errc::EPOCH_UNKNOWN, "this device cannot read what it has written");
  Result<void> done;
  try {
    done = invert(KJ_ASSERT_NONNULL(content));
    tellChanged();
    if (done) done = co_await writeOnce(kind, target);
  } catch (const kj::Exception&) {
    loadAgain();  // what was not written has not happened
    throw;
  }
  if (!done) {
    loadAgain();
    co_return no(done.error());
  }
  co_return true;
}

// Commits what undoes an entry of this device, its newest events first.
Result<void> LiveDocument::invert(const Content& content) {
  auto bundle = readBundle(content.bytes);
  if (!bundle) return no(bundle.error());
  auto nowMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  for (auto run = bundle->runs.rbegin(); run != bundle->runs.rend(); ++run) {
    auto& author = bundle->authors[run->author];
    std::vector<EventRange> ranges;
    for (uint32_t told = 0; told < run->events();) {
      auto events = document_.graph().findRange({author, run->number + told}, run->events() - told);
      ranges.push_back(events);
      told += events.size();
    }
    for (auto events = ranges.rbegin(); events != ranges.rend(); ++events) {
      auto done = document_.commit(around.circle.self(), opsToUndo(document_, *events), nowMs);
      if (!done) return no(done.error());
    }
  }
  return {};
}

}  // namespace hearth::storage
