#include "storage/documents/live-document.h"

#include "storage/tables/snapshots.h"

#include <kj/debug.h>

namespace hearth::storage {

namespace {

constexpr size_t READ_BYTES = 4 << 20;  // of entries at a time

// Of events those that none of the others follows.
Version newestOf(const EventGraph& graph, Version events) {
  std::ranges::sort(events);
  events.erase(std::ranges::unique(events).begin(), events.end());
  Version newest;
  for (auto event: events) {
    bool isFollowed = std::ranges::any_of(
        events, [&](auto other) { return other != event && graph.holds({other}, event); });
    if (!isFollowed) newest.push_back(event);
  }
  return newest;
}

// The newest of a range of events.
Version endsOf(const EventGraph& graph, EventRange events) {
  Version ends;
  for (auto i = events.begin; i < events.end;) {
    auto& run = graph.runs()[graph.runOf(i)].events;
    i = kj::min(run.end, events.end);
    ends.push_back(i - 1);
  }
  return ends;
}

// An event that a bundle builds on and that is not here; none when all are.
kj::Maybe<EventName> missingOf(const EventGraph& graph, const Bundle& bundle) {
  auto isHere = [&](const EventName& name) { return name.number < graph.countOf(name.author); };
  for (auto& event: bundle.foreign) {
    EventName name{bundle.authors[event.author], event.number};
    if (!isHere(name)) return name;
  }
  for (auto& run: bundle.runs) {
    if (run.number == 0) continue;
    EventName name{bundle.authors[run.author], run.number - 1};
    if (!isHere(name)) return name;
  }
  return nullptr;
}

}  // namespace

LiveDocument::LiveDocument(
    Surroundings around, const crypto::CollectionId& collection, std::string name)
    : around(around),
      collection(collection),
      name_(kj::mv(name)),
      turn(kj::Promise<void>(kj::READY_NOW).fork()),
      ready_(load().fork()),
      tasks(*this) {}

LiveDocument::~LiveDocument() noexcept(false) {}

void LiveDocument::tellChanged() {
  auto told = kj::mv(next.fulfiller);
  next = kj::newPromiseAndFulfiller<void>();
  change_ = next.promise.fork();
  told->fulfill();
}

// Takes what others have done, or this device itself before.
void LiveDocument::take(Part part) {
  if (!tryTake(part)) {
    hasDropped |= waitingBytes + part.bytes.size() > WAITING_BYTES_MAX;
    if (hasDropped) return;
    waitingBytes += part.bytes.size();
    waiting.push_back(kj::mv(part));
    return;
  }
  takeWaiting();
}

// Whether it needs not wait: what does not fit is passed over, here as everywhere.
bool LiveDocument::tryTake(Part& part) {
  auto bundle = readBundle(part.bytes);
  if (!bundle) return true;
  // Nobody says what somebody else has done.
  KJ_IF_MAYBE(author, part.author) {
    bool isOwn = std::ranges::all_of(
        bundle->runs, [&](auto& run) { return bundle->authors[run.author] == *author; });
    if (!isOwn) return true;
  }
  Document::Merged merged;
  auto taken = document_.merge(*bundle, merged);
  isOnDisk(endsOf(document_.graph(), merged.events));
  if (taken || taken.error().code != Errc::STALE) return true;
  part.lacks = missingOf(document_.graph(), *bundle);
  return false;
}

void LiveDocument::takeWaiting() {
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < waiting.size();) {
      bool isReady =
          waiting[i]
              .lacks.map([this](auto& name) { return document_.graph().find(name) != nullptr; })
              .orDefault(true);
      if (!isReady || !tryTake(waiting[i])) {
        ++i;
        continue;
      }
      again = true;
      waitingBytes -= waiting[i].bytes.size();
      waiting.erase(waiting.begin() + static_cast<ptrdiff_t>(i));
    }
  }
}

void LiveDocument::isOnDisk(const Version& version) {
  auto all = durable;
  all.insert(all.end(), version.begin(), version.end());
  durable = newestOf(document_.graph(), kj::mv(all));
}

kj::Promise<void> LiveDocument::load() {
  isLoading = true;
  KJ_DEFER(isLoading = false);
  KJ_ON_SCOPE_FAILURE(failed = true);
  document_ = Document();
  durable = {};
  waiting.clear();
  waitingBytes = tailBytes = tailEntries = 0;
  hasDropped = false;
  co_await read();
  for (auto& part: meanwhile) take(kj::mv(part));
  meanwhile.clear();
  tellChanged();
}

kj::Promise<void> LiveDocument::read() {
  auto snapshot = co_await around.store.read([collection = collection, name = name_](Database& db) {
    return snapshots::get(db, collection, name.c_str());
  });
  for (auto& bytes: snapshot.parts) take({kj::mv(bytes), nullptr, nullptr});
  auto after = snapshot.upto;
  for (;;) {
    auto more =
        co_await around.store.read([collection = collection, name = name_, after](Database& db) {
          return entries::ofTopic(db, collection, name.c_str(), after, READ_BYTES);
        });
    if (more.empty()) break;
    for (auto& placed: more) {
      after = placed.place;
      ++tailEntries;
      tailBytes += placed.envelope.size();
      auto entry = Entry::read(kj::mv(placed.envelope));
      KJ_REQUIRE(entry.has_value(), "a stored entry is none", entry.error().because);
      auto content = around.log.contentOf(*entry);
      KJ_IF_MAYBE(there, content) take({kj::mv(there->bytes), entry->head.author, nullptr});
    }
  }
  upto = kj::max(upto, after);
}

void LiveDocument::arrived(const Log::Stored& entry) {
  upto = kj::max(upto, entry.place);
  auto& content = KJ_ASSERT_NONNULL(entry.content);
  tailBytes += content.bytes.size();
  ++tailEntries;
  // What this device has just written is here.
  if (entry.from == entry.head.author && entry.from == around.circle.self()) return;
  Part part{kj::heapArray<kj::byte>(content.bytes), entry.head.author, nullptr};
  if (isLoading) return meanwhile.push_back(kj::mv(part));
  auto before = document_.graph().size();
  take(kj::mv(part));
  tellChanged();
  // There may be room now for what was passed over.
  if (hasDropped && document_.graph().size() > before && isQuiet()) loadAgain();
  considerSnapshot();
}

kj::Promise<Result<void>> LiveDocument::change(kj::Function<Result<void>(Draft&)> make) {
  co_await turn.addBranch();
  co_await ready();
  Draft draft(document_);
  if (auto made = make(draft); !made) co_return no(made.error());
  auto nowMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  auto done = document_.commit(around.circle.self(), draft.ops(), nowMs);
  if (!done) co_return no(done.error());
  if (done->size() == 0) co_return Result<void>();
  tellChanged();
  co_return co_await written();
}

// Resolves when all that the document holds now is on disk.
kj::Promise<Result<void>> LiveDocument::written() {
  auto paf = kj::newPromiseAndFulfiller<Result<void>>();
  waiters.push_back(kj::mv(paf.fulfiller));
  if (!isWriting) tasks.add(writeAll());
  return kj::mv(paf.promise);
}

kj::Promise<void> LiveDocument::writeAll() {
  isWriting = true;
  KJ_DEFER(isWriting = false);
  while (!waiters.empty()) {
    auto told = kj::mv(waiters);
    waiters.clear();
    kj::Maybe<kj::Exception> failed;
    Result<void> done;
    try {
      done = co_await writeOnce(Kind::CHANGE, 0);
    } catch (kj::Exception& e) {
      failed = kj::mv(e);
    }
    KJ_IF_MAYBE(e, failed) {
      for (auto& waiter: told) waiter->reject(kj::cp(*e));
    } else {
      for (auto& waiter: told) waiter->fulfill(kj::cp(done));
    }
    if (failed == nullptr && done) continue;
    // What was not written has not happened, and neither has what came on top of it.
    auto more = kj::mv(waiters);
    waiters.clear();
    for (auto& waiter: more)
      waiter->reject(KJ_EXCEPTION(FAILED, "a change before it could not be written"));
    loadAgain();
    co_await ready();
  }
  considerSnapshot();
}

// Writes what is here and not on disk. An entry that takes something back is written in any case.
kj::Promise<Result<void>> LiveDocument::writeOnce(Kind kind, uint64_t target) {
  auto bundles = document_.since(durable);
  auto version = document_.graph().version();
  if (bundles.empty() && kind != Kind::CHANGE) bundles.emplace_back();
  for (auto& bundle: bundles) {
    Content content{{static_cast<uint8_t>(kind), target, name_}, encode(bundle)};
    auto done = co_await around.log.append(collection, kj::mv(content));
    if (!done) co_return no(done.error());
  }
  isOnDisk(version);
  co_return Result<void>();
}

void LiveDocument::considerSnapshot() {
  if (tailBytes < TAIL_BYTES_MAX && tailEntries < TAIL_ENTRIES_MAX) return;
  // What waits is written down with the rest, so that a change whose past never comes holds nothing up.
  if (waitingBytes > TAIL_BYTES_MAX) return;
  if (isLoading || hasDropped || durable != document_.graph().version()) return;
  tailBytes = tailEntries = 0;
  snapshots::Snapshot snapshot{.upto = upto};
  for (auto& bundle: document_.since({})) snapshot.parts.push_back(encode(bundle));
  for (auto& part: waiting) snapshot.parts.push_back(kj::heapArray<kj::byte>(part.bytes));
  tasks.add(around.store.write(
      [collection = collection, name = name_, snapshot = kj::mv(snapshot)](
          Database& db) { snapshots::put(db, collection, name.c_str(), snapshot); }));
}

void LiveDocument::taskFailed(kj::Exception&& e) {
  KJ_LOG(WARNING, "a document could not be written", e.getDescription());
}

}  // namespace hearth::storage
