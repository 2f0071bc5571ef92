#include "devices/clipboard/clipboard.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

using storage::ClipName;
using storage::ClipRow;
namespace clips = storage::clips;

namespace {

constexpr size_t ID_DIGITS = 8;

std::string idOf(const ClipName& name) {
  kj::byte stamp[8];
  for (size_t i = 0; i < 8; ++i) stamp[i] = static_cast<kj::byte>(name.stamp >> (8 * i));
  auto hash = crypto::hash("hearth/clip-id/v1", {name.author.asBytes(), kj::arrayPtr(stamp, 8)});
  return std::string(kj::encodeHex(hash.asBytes()).cStr(), ID_DIGITS);
}

ClipRow rowOf(const Clip& clip, uint64_t place, uint64_t leftMs, int64_t atMs) {
  return {.name = clip.name,
      .place = place,
      .lifetimeMs = clip.lifetimeMs,
      .leftMs = leftMs,
      .atMs = atMs,
      .mime = clip.mime,
      .preview = clip.preview(),
      .bytes = clip.bytes.size(),
      .isSecret = clip.isSecret};
}

}  // namespace

std::string Clipboard::View::id() const { return idOf(row.name); }

Clipboard::Clipboard(Surroundings around)
    : around(around),
      streams(
          {around.timer, around.links, around.circle.self(), STREAM_KIND_CLIPBOARD,
              "the clipboard"_kj},
          [this](const DeviceId& peer, bool, kj::Own<kj::AsyncIoStream> stream) {
            return kj::heap<ClipSession>(
                static_cast<ClipSession::Owner&>(*this), peer, kj::mv(stream));
          },
          [this](const DeviceId& peer) { forget(peer); }),
      tasks(*this) {}

Clipboard::~Clipboard() noexcept(false) {}

kj::Promise<void> Clipboard::start() {
  struct Read {
    std::vector<ClipRow> rows;
    std::vector<storage::ClipAuthor> authors;
  };
  auto read = co_await around.store.read(
      [](storage::Database& db) -> Read { return {clips::all(db), clips::authors(db)}; });
  shelf.restore(kj::mv(read.rows), read.authors, now());
  places = Hlc({shelf.newestPlace()});
  // What is left is reckoned from now on, so that a clock that is set back later gives no time twice.
  auto left = list();
  std::erase_if(left, [](auto& entry) { return entry.leftMs == 0; });
  auto reckon = [left = kj::mv(left), atMs = wallMs()](storage::Database& db) {
    for (auto& entry: left) clips::update(db, entry.row.name, entry.leftMs, atMs);
  };
  co_await around.store.write(kj::mv(reckon)).catch_([](kj::Exception&& e) {
    KJ_LOG(WARNING, "what is left of times in the clipboard", e.getDescription());
  });
  tasks.add(watchTime());
}

void Clipboard::peerUp(const DeviceId& peer) {
  if (around.readers.readsBlobs(peer) && around.readers.readsBlobs(around.circle.self()))
    streams.peerUp(peer);
}

void Clipboard::incoming(const DeviceId& peer, kj::Own<kj::AsyncIoStream> stream) {
  if (around.readers.readsBlobs(peer) && around.readers.readsBlobs(around.circle.self()))
    streams.incoming(peer, kj::mv(stream));
}

// What has been begun on the disk is done here as well, whether or not anybody still waits for it.
template <typename T>
kj::Promise<T> Clipboard::toItsEnd(kj::Promise<T> work) {
  auto paf = kj::newPromiseAndFulfiller<T>();
  tasks.add(
      work.then([done = paf.fulfiller.get()](auto&&... value) { done->fulfill(kj::mv(value)...); },
              [done = paf.fulfiller.get()](kj::Exception&& e) { done->reject(kj::mv(e)); })
          .attach(kj::mv(paf.fulfiller)));
  return kj::mv(paf.promise);
}

void Clipboard::tellChanged() {
  streams.forEach([](auto&, auto& session) { session.changed(); });
  news.ring();
  auto told = kj::mv(next.fulfiller);
  next = kj::newPromiseAndFulfiller<void>();
  change = next.promise.fork();
  told->fulfill();
}

Result<void> Clipboard::isFit(const Copy& copy) const {
  if (!around.readers.readsBlobs(around.circle.self()))
    return no(Errc::NOT_AUTHORISED, "this device has no part in the clipboard of its circle");
  if (copy.bytes.size() > Clip::BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED,
        "the clipboard takes at most 4 MiB: hearth blob put takes files of any size");
  if (!isMimeType(kj::StringPtr(copy.mime.c_str(), copy.mime.size())))
    return no(Errc::BAD_FORMAT, "a MIME type is as text/plain or image/png");
  KJ_IF_MAYBE(lifetime, copy.lifetime) {
    if (*lifetime < Clip::LIFETIME_MIN || *lifetime > Clip::LIFETIME_MAX)
      return no(Errc::BAD_FORMAT, "an entry of the clipboard lives for one second to thirty days");
  }
  return {};
}

kj::Promise<Result<Clipboard::View>> Clipboard::copy(Copy copy) {
  if (auto fit = isFit(copy); !fit) co_return no(fit.error());
  co_return co_await toItsEnd(copyNow(kj::mv(copy)));
}

kj::Promise<Result<Clipboard::View>> Clipboard::copyNow(Copy copy) {
  auto place = places.tick(around.clock.now()).value;
  auto& self = around.circle.self();
  Clip clip{.name = {kj::max(place, shelf.newestOf(self) + 1), self}};
  KJ_IF_MAYBE(lifetime, copy.lifetime)
    clip.lifetimeMs = static_cast<uint64_t>(*lifetime / kj::MILLISECONDS);
  clip.isSecret = copy.isSecret;
  clip.mime = kj::mv(copy.mime);
  clip.bytes = kj::mv(copy.bytes);
  auto row = rowOf(clip, place, clip.lifetimeMs, wallMs());
  co_await put(row, clip.sign(around.circle.signSecret()));
  co_return View{kj::mv(row), clip.lifetimeMs};
}

kj::Promise<void> Clipboard::put(ClipRow row, crypto::Buffer envelope) {
  auto before = shelf.comes(row.name);
  try {
    co_await around.store.write([row, envelope = kj::mv(envelope)](
                                    storage::Database& db) { clips::put(db, row, envelope); });
  } catch (const kj::Exception&) {
    shelf.cameNot(row.name, before);
    throw;
  }
  // Cleared away while it was on its way: the disk has dropped it, or will.
  if (!shelf.add(row, now())) owed.push_back(row.name);
  tellChanged();
}

std::vector<Clipboard::View> Clipboard::list() const {
  std::vector<View> all;
  auto at = now();
  for (auto& row: shelf.rows(at)) {
    auto left = shelf.leftMs(row.name, at).orDefault(0);
    all.push_back({kj::mv(row), left});
  }
  return all;
}

kj::Promise<Result<Clipboard::Pasted>> Clipboard::paste(std::string id) {
  std::vector<View> found;
  for (auto& view: list()) {
    if (id.empty() && !found.empty()) break;
    if (view.id().starts_with(id)) found.push_back(kj::mv(view));
  }
  if (found.empty() && id.empty()) co_return no(Errc::BAD_FORMAT, "the clipboard is empty");
  if (found.empty())
    co_return no(Errc::BAD_FORMAT, "nothing in the clipboard is called so: hearth clip list");
  if (found.size() > 1)
    co_return no(Errc::BAD_FORMAT, "several entries begin so: give more of the id");
  auto envelope = co_await around.store.read(
      [name = found.front().row.name](storage::Database& db) { return clips::envelope(db, name); });
  KJ_IF_MAYBE(bytes, envelope) {
    auto clip = Clip::read(*bytes);
    KJ_REQUIRE(clip.has_value(), "a stored entry is none", clip.error().because);
    co_return Pasted{kj::mv(found.front()), kj::mv(clip->bytes)};
  }
  co_return no(Errc::BAD_FORMAT, "it is just gone from the clipboard");
}

kj::Promise<size_t> Clipboard::clear() { return toItsEnd(clearNow()); }

kj::Promise<size_t> Clipboard::clearNow() {
  auto count = list().size();
  co_await clearUpto(shelf.newestOfAll());
  co_return count;
}

// The shelf first: whoever asks meanwhile is shown nothing of it.
kj::Promise<void> Clipboard::clearUpto(std::map<DeviceId, uint64_t> upto) {
  for (auto& [author, stamp]: upto) {
    if (shelf.clear(author, stamp)) unwritten[author] = stamp;
  }
  if (unwritten.empty()) co_return;
  tellChanged();
  co_await writeClears();
  co_await checkpoint();
}

kj::Promise<void> Clipboard::writeClears() {
  auto all = unwritten;
  co_await around.store.write([all](storage::Database& db) {
    for (auto& [author, stamp]: all) clips::clear(db, author, stamp);
  });
  std::erase_if(unwritten, [&](auto& entry) {
    auto found = all.find(entry.first);
    return found != all.end() && found->second == entry.second;
  });
}

clip::State Clipboard::state() const {
  clip::State state;
  for (auto& [author, upto]: shelf.cleared()) {
    if (state.cleared.size() < clip::AUTHORS_MAX) state.cleared.push_back({author, upto});
  }
  auto rows = shelf.rows(now());
  if (rows.size() > clip::HELD_MAX) rows.resize(clip::HELD_MAX);
  for (auto& row: rows) state.held.insert(state.held.begin(), row.name);
  return state;
}

kj::Promise<kj::Maybe<clip::Item>> Clipboard::item(ClipName name) {
  auto envelope = co_await around.store.read(
      [name](storage::Database& db) { return clips::envelope(db, name); });
  KJ_IF_MAYBE(bytes, envelope) {
    KJ_IF_MAYBE(left, shelf.leftMs(name, now())) co_return clip::Item{*left, kj::mv(*bytes)};
  }
  co_return nullptr;
}

// Of authors who are or were of the circle alone, and no further than would keep none of them from copying for ever.
void Clipboard::heard(const DeviceId& from, clip::State state) {
  std::map<DeviceId, uint64_t> upto;
  auto most = Hlc().tick(around.clock.now() + AHEAD_MAX).value;
  for (auto& cleared: state.cleared) {
    if (around.circle.signerOf(cleared.author) == nullptr) continue;
    auto sane = kj::max(most, shelf.newestOf(cleared.author));
    upto[cleared.author] = kj::min(cleared.upto, sane);
  }
  tasks.add(clearUpto(kj::mv(upto)));
  said[from] = kj::mv(state);
  std::erase_if(asking, [&](auto& entry) {
    auto& [name, peer] = entry.second;
    return peer == from && std::ranges::find(said[from].held, name) == said[from].held.end();
  });
  askForMore();
}

void Clipboard::forget(const DeviceId& peer) {
  said.erase(peer);
  std::erase_if(asking, [&](auto& entry) { return entry.second.peer == peer; });
  askForMore();
}

// As far as peers say who are there: this device itself may not have believed so much.
bool Clipboard::isCleared(const ClipName& name) const {
  return std::ranges::any_of(said, [&](auto& entry) {
    return std::ranges::any_of(entry.second.cleared,
        [&](auto& cleared) { return cleared.author == name.author && name.stamp <= cleared.upto; });
  });
}

// The oldest that may come, of the author itself where it can be had there.
kj::Maybe<Clipboard::Asking> Clipboard::nextOf(const DeviceId& author) {
  kj::Maybe<Asking> best;
  for (auto& [peer, state]: said) {
    if (streams.find(peer) == nullptr) continue;
    for (auto& name: state.held) {
      if (name.author != author || !shelf.mayCome(name) || isCleared(name)) continue;
      bool isBetter = true;
      KJ_IF_MAYBE(other, best)
        isBetter = name < other->name || (name == other->name && peer == author);
      if (isBetter) best = Asking{name, peer};
    }
  }
  return best;
}

void Clipboard::askForMore() {
  std::set<DeviceId> authors;
  for (auto& [peer, state]: said)
    for (auto& name: state.held) authors.insert(name.author);
  for (auto& author: authors) {
    if (asking.contains(author) || around.circle.signerOf(author) == nullptr) continue;
    KJ_IF_MAYBE(ask, nextOf(author)) {
      asking[author] = *ask;
      KJ_ASSERT_NONNULL(streams.find(ask->peer)).want(ask->name);
    }
  }
}

kj::Promise<Result<void>> Clipboard::received(const DeviceId& from, clip::Item item) {
  auto clip = Clip::read(item.envelope);
  if (!clip) co_return no(clip.error());
  auto asked = asking.find(clip->name.author);
  bool isAsked = asked != asking.end() && asked->second.peer == from &&
      asked->second.name == clip->name && shelf.mayCome(clip->name);
  if (!isAsked) co_return Result<void>();  // it has come from elsewhere, or was cleared
  auto signer = around.circle.signerOf(clip->name.author);
  KJ_IF_MAYBE(author, signer) {
    if (auto done = Clip::verify(item.envelope, *author); !done) co_return no(done.error());
  } else {
    co_return no(Errc::UNKNOWN_PEER, "an entry of the clipboard by a stranger");
  }
  if ((clip->lifetimeMs == 0) != (item.leftMs == 0))
    co_return no(Errc::BAD_FORMAT, "an entry of the clipboard that should be gone, or should not");
  auto left = kj::min(item.leftMs, clip->lifetimeMs);
  co_return co_await toItsEnd(take(kj::mv(*clip), left, kj::mv(item.envelope)));
}

// A stamp of a clock that is far ahead does not make it the newest for ever.
kj::Promise<Result<void>> Clipboard::take(Clip clip, uint64_t leftMs, crypto::Buffer envelope) {
  auto author = clip.name.author;
  KJ_DEFER({
    asking.erase(author);
    askForMore();
  });
  auto wall = around.clock.now();
  bool isNear = places.observe({clip.name.stamp}, wall).has_value();
  auto place = isNear ? clip.name.stamp : places.tick(wall).value;
  co_await put(rowOf(clip, place, leftMs, wallMs()), kj::mv(envelope));
  co_return Result<void>();
}

// Asleep while nothing here has a lifetime.
kj::Promise<void> Clipboard::watchTime() {
  for (;;) {
    auto gone = shelf.takeOverdue(now());
    owed.insert(owed.end(), gone.begin(), gone.end());
    if (!gone.empty()) tellChanged();
    if (owesDisk()) co_await payDisk();
    auto wake = news.wait();
    if (owesDisk()) {
      co_await around.timer.afterDelay(TRIED_AGAIN_AFTER);
    } else KJ_IF_MAYBE(left, shelf.untilNext(now())) {
      auto most = kj::max(kj::min(*left, LOOKED_AT_EVERY), TOGETHER);
      co_await around.timer.afterDelay(most).exclusiveJoin(kj::mv(wake));
    } else {
      co_await wake;
    }
  }
}

kj::Promise<void> Clipboard::erase() {
  auto names = owed;
  co_await around.store.write([names](storage::Database& db) {
    for (auto& name: names) clips::drop(db, name);
  });
  owed.erase(owed.begin(), owed.begin() + static_cast<ptrdiff_t>(names.size()));
}

kj::Promise<void> Clipboard::payDisk() {
  try {
    if (!unwritten.empty()) co_await writeClears();
    if (!owed.empty()) co_await erase();
  } catch (const kj::Exception& e) {
    KJ_LOG(WARNING, "the disk does not drop what is gone from the clipboard", e.getDescription());
    co_return;
  }
  co_await checkpoint();
}

// Dropped rows are overwritten in the database file, and the write-ahead log is emptied.
kj::Promise<void> Clipboard::checkpoint() {
  owesCheckpoint = true;
  try {
    co_await around.store.checkpoint();
    owesCheckpoint = false;
  } catch (const kj::Exception& e) {
    KJ_LOG(WARNING, "what is gone from the clipboard may stand in the write-ahead log",
        e.getDescription());
    news.ring();
  }
}

void Clipboard::taskFailed(kj::Exception&& e) {
  KJ_LOG(WARNING, "the clipboard", e.getDescription());
}

}  // namespace hearth::devices
