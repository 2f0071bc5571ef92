#include "devices/data/blobs.h"

#include "devices/data/blob-range.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace blobs = storage::blobs;

using storage::Database;

namespace {

constexpr Error RESTS = {Errc::BUSY,
    "large transfers rest on this device: hearth limits says why, and hearth resume ends a pause"_kj};

bool isElsewhere(const std::map<DeviceId, BlobNames::Has>& holders, const DeviceId& self) {
  return std::ranges::any_of(holders, [&](auto& holder) {
    auto& [device, has] = holder;
    return device != self && (has == BlobNames::Has::KEPT || has == BlobNames::Has::COPY);
  });
}

}  // namespace

Blobs::Blobs(Surroundings aroundIn)
    : around(aroundIn),
      store(around.store),
      keeping(around.store, around.exchange),
      names(around.names),
      tasks(*this) {
  around.exchange.add(store);
}

kj::Promise<void> Blobs::start() {
  try {
    co_await store.start();
    co_await names.start();
    co_await forgetUnnamed();
    readiness.fulfiller->fulfill();
    tasks.add(follow());
  } catch (const kj::Exception& e) {
    KJ_LOG(ERROR, "blobs are closed", e.getDescription());
    readiness.fulfiller->reject(kj::cp(e));
  }
}

void Blobs::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "blobs", e); }

// What there is

kj::Promise<Blobs::View> Blobs::viewOf(BlobNames::Named named) {
  auto content = named.ref.contentId();
  View view{named.name, named.ref, names.holders(content)};
  auto known = co_await store.find(content);
  KJ_IF_MAYBE(blob, known) {
    view.isHere = BlobStore::isHere(*blob);
    view.isPinned = blob->pinned;
  }
  view.received = keeping.received(content);
  co_return kj::mv(view);
}

kj::Promise<std::vector<Blobs::View>> Blobs::list() {
  std::vector<View> views;
  for (auto& named: names.all()) views.push_back(co_await viewOf(named));
  co_return kj::mv(views);
}

kj::Promise<Result<Blobs::View>> Blobs::find(std::string wanted) {
  auto named = names.find(wanted);
  if (!named) co_return no(named.error());
  co_return co_await viewOf(kj::mv(*named));
}

// Putting

Result<Blobs::PutNumber> Blobs::beginToPut() {
  if (puts.size() >= PUTS_MAX)
    return no(Errc::BUSY, "too many blobs are being put: wait until one is done");
  KJ_IF_MAYBE(key, around.store.circle.chunkKeyOf(namedBlobs())) {
    if (around.store.circle.keysToWriteWith(namedBlobs()) != nullptr) {
      puts.emplace(++putsBegun, kj::heap<BlobPut>(around.store, kj::mv(*key)));
      return putsBegun;
    }
  }
  return no(Errc::EPOCH_UNKNOWN, "this device holds no key to seal a blob with");
}

kj::Promise<Result<void>> Blobs::makeRoomFor(const BlobPut& put) {
  return makeRoom(put.ref().top.length);
}

kj::Promise<Result<void>> Blobs::makeRoom(uint64_t bytes) {
  auto made = co_await store.makeRoom(bytes);
  if (!made) co_return no(made.error());
  for (auto& content: *made) {
    bool wasKept = names.holders(content)[self()] == Has::WAS_KEPT;
    if (auto said = co_await names.setHas(content, self(), wasKept ? Has::GONE : Has::NOTHING);
        !said)
      co_return no(said.error());
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> Blobs::finish(BlobPut& put, std::string name) {
  if (auto done = co_await put.finish(); !done) co_return no(done.error());
  auto ref = put.ref();
  auto content = ref.contentId();
  auto named = co_await names.name(kj::mv(name), ref, self());
  if (!named) {
    auto known = co_await store.find(content);
    KJ_IF_MAYBE(blob, known) {
      if (blob->references == 0) co_await store.letGo(content);
    }
    co_return no(named.error());
  }
  co_await refer(content, true);
  co_return Result<void>();
}

// It has a name, and so it stays when this device starts anew.
kj::Promise<void> Blobs::refer(ContentId content, bool pinned) {
  auto others = reliableOthers(content);
  told[content] = others;
  return around.store.store.write([content, pinned, others](Database& db) {
    KJ_IF_MAYBE(blob, blobs::find(db, content)) {
      blob->references = 1;
      blob->elsewhere = others;
      blob->pinned = blob->pinned || pinned;
      blobs::put(db, *blob);
    }
  });
}

// Fetching

// Others who want the same wait for the same. When nobody waits any more, it is given up.
kj::Promise<Result<void>> Blobs::fetch(BlobRef ref, uint32_t need) {
  auto content = ref.contentId();
  auto found = fetching.find(content);
  if (found == fetching.end())
    found = fetching.emplace(content, Fetching{fetchNow(ref, need).fork()}).first;
  ++found->second.users;
  return found->second.running.addBranch().attach(kj::defer([this, content]() {
    if (--fetching.at(content).users == 0) fetching.erase(content);
  }));
}

kj::Promise<Result<void>> Blobs::fetchNow(BlobRef ref, uint32_t need) {
  auto content = ref.contentId();
  auto known = co_await store.find(content);
  bool isHere = known.map([](auto& blob) { return BlobStore::isHere(blob); }).orDefault(false);
  if (isHere) {
    auto nowMs = (around.store.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
    co_await around.store.store.write(
        [content, nowMs](Database& db) { blobs::use(db, content, nowMs); });
    co_return Result<void>();
  }
  if (auto made = co_await makeRoom(ref.top.length); !made) co_return no(made.error());
  auto fetched = co_await keeping.fetch(ref, need).exclusiveJoin(orNobodyHas(content));
  if (!fetched) co_return no(fetched.error());
  co_await refer(content, false);
  co_return co_await names.setHas(content, self(), after(content, Has::COPY));
}

// Whoever has promised something once may still be relied on.
Blobs::Has Blobs::after(const ContentId& content, Has wanted) {
  auto before = names.holders(content)[self()];
  bool mayBeReliedOn = before == Has::KEPT || before == Has::WAS_KEPT || before == Has::GONE;
  return wanted == Has::COPY && mayBeReliedOn ? Has::WAS_KEPT : wanted;
}

kj::Promise<Result<void>> Blobs::orNobodyHas(ContentId content) {
  for (auto since = around.timer.now(); around.timer.now() - since < PATIENCE;) {
    if (around.exchange.whyResting() != nullptr) co_return no(RESTS);
    co_await around.timer.afterDelay(PATIENCE / 10);
    if (!around.exchange.isStuck(content)) since = around.timer.now();
  }
  KJ_IF_MAYBE(code, around.exchange.whyNot(content))
    co_return no(*code, "the VAULT that should have it does not: hearth status names both");
  co_return no(Errc::UNKNOWN_PEER,
      "no device that can be reached has all of it: hearth blob stat says which ones have");
}

kj::Promise<Result<crypto::Buffer>> Blobs::read(BlobRef ref, uint64_t offset, size_t bytes) {
  auto content = ref.contentId();
  auto known = co_await store.find(content);
  bool isHere = known.map([](auto& blob) { return BlobStore::isHere(blob); }).orDefault(false);
  if (!isHere) co_return no(Errc::STALE, "the blob is not here any more: get it again");
  auto read = co_await store.read(kj::mv(KJ_ASSERT_NONNULL(known)), offset, bytes);
  bool isDamaged = !read && read.error().code == Errc::INTEGRITY_FAILED;
  // What is left of the only copy stays.
  if (!isDamaged || !isElsewhere(names.holders(content), self())) co_return kj::mv(read);
  co_await store.letGo(content);
  if (auto said = co_await names.setHas(content, self(), Has::GONE); !said)
    co_return no(said.error());
  co_return no(Errc::INTEGRITY_FAILED,
      "the blob is damaged on this disk: get it again, other devices have it");
}

kj::Promise<Result<crypto::Buffer>> Blobs::readFromOthers(
    BlobRef ref, uint64_t offset, size_t bytes) {
  auto content = ref.contentId();
  BlobRange range(offset, bytes);
  auto fetched = co_await around.exchange.fetch(ref, {GET_NEED, offset, offset + bytes}, range)
                     .exclusiveJoin(orNobodyHas(content));
  if (!fetched) co_return no(fetched.error());
  co_return range.take();
}

kj::Promise<Result<void>> Blobs::pin(BlobRef ref) {
  auto content = ref.contentId();
  if (auto fetched = co_await fetch(ref, PIN_NEED); !fetched) co_return no(fetched.error());
  co_await refer(content, true);
  co_return co_await names.setHas(content, self(), Has::KEPT);
}

kj::Promise<Result<void>> Blobs::unpin(BlobRef ref) {
  auto content = ref.contentId();
  auto known = co_await store.find(content);
  bool isPinned = known.map([](auto& blob) { return blob.pinned; }).orDefault(false);
  if (!isPinned) co_return Result<void>();
  auto said = co_await names.setHas(content, self(), Has::WAS_KEPT);
  if (said) co_await store.pin(content, false);
  co_return said;
}

kj::Promise<Result<void>> Blobs::remove(std::string name) {
  auto gone = co_await names.remove(kj::mv(name));
  if (!gone) co_return no(gone.error());
  co_await apply();
  co_return Result<void>();
}

kj::Promise<std::vector<ContentId>> Blobs::removed() {
  co_await ready();
  co_return names.removed();
}

// What others do

kj::Promise<void> Blobs::follow() {
  for (;;) {
    auto change = names.changed();
    co_await apply().catch_([](kj::Exception&& e) {
      KJ_LOG(WARNING, "blobs that were removed are still here", e.getDescription());
    });
    co_await change;
  }
}

kj::Promise<void> Blobs::apply() {
  std::set<ContentId> gone;
  for (auto& content: names.removed()) gone.insert(content);
  std::erase_if(shredded, [&](auto& content) { return !gone.contains(content); });
  for (auto& content: gone) {
    if (shredded.contains(content) || fetching.contains(content)) continue;
    co_await around.store.store.write([content = content](Database& db) {
      KJ_IF_MAYBE(blob, blobs::find(db, content)) {
        blob->references = 0;
        blob->pinned = false;
        blobs::put(db, *blob);
      }
    });
    co_await store.letGo(content);
    shredded.insert(content);
  }
  for (auto& [content, fetch]: fetching) {
    for (auto& [device, has]: names.holders(content))
      if (has == Has::KEPT || has == Has::COPY) around.exchange.peerHas(device, content);
  }
  for (auto& named: names.all()) {
    auto content = named.ref.contentId();
    auto others = reliableOthers(content);
    auto known = told.find(content);
    if (known != told.end() && known->second == others) continue;
    co_await store.setElsewhere(content, others);
    told[content] = others;
  }
}

uint32_t Blobs::reliableOthers(const ContentId& content) {
  return reliable(names.holders(content), self(),
      [this](auto& device) { return around.keeper.isActive(device); });
}

// What was put and got no name before this device ended.
kj::Promise<void> Blobs::forgetUnnamed() {
  constexpr size_t AT_A_TIME = 1'000;
  std::set<ContentId> named;
  for (auto& entry: names.all()) named.insert(entry.ref.contentId());
  auto idle = co_await around.store.store.read([](Database& db) {
    std::vector<ContentId> own;
    for (auto& content: blobs::unreferenced(db, AT_A_TIME)) {
      KJ_IF_MAYBE(blob, blobs::find(db, content)) {
        if (blob->collection == namedBlobs()) own.push_back(content);
      }
    }
    return own;
  });
  for (auto& content: idle) {
    if (named.contains(content)) {
      co_await refer(content, false);
    } else {
      co_await store.letGo(content);
    }
  }
}

}  // namespace hearth::devices
