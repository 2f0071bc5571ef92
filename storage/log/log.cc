#include "storage/log/log.h"

#include "core/base/flat.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

namespace {

using crypto::CollectionId;

constexpr size_t READ_AGAIN_BYTES = 4 << 20;

entries::Label labelOf(const kj::Maybe<Content>& content) {
  KJ_IF_MAYBE(there, content) return there->label;
  return {};
}

}  // namespace

crypto::Buffer Content::encode() const {
  FlatWriter out;
  out.u8(label.kind)
      .u64(label.target)
      .var8(kj::StringPtr(label.topic.c_str(), label.topic.size()).asBytes())
      .bytes(bytes);
  return out.finish();
}

Result<Content> Content::decode(crypto::Bytes plain) {
  FlatReader in(plain);
  Content content;
  content.label.kind = in.u8();
  content.label.target = in.u64();
  auto topic = in.var8(TOPIC_BYTES_MAX).asChars();
  content.label.topic.assign(topic.begin(), topic.size());
  if (!in.good() || content.label.kind == 0 || content.label.topic.empty() ||
      content.label.topic.find('\0') != std::string::npos ||
      content.label.target >= Entry::TIME_MAX)
    return no(Errc::BAD_FORMAT, "an entry says nothing that is known");
  content.bytes = kj::heapArray<kj::byte>(in.remaining());
  return kj::mv(content);
}

kj::Promise<Result<void>> Log::load() {
  struct Read {
    entries::Heads heads;
    std::map<CollectionId, std::vector<entries::Row>> rows;
  };
  auto read = co_await around.store.read([](Database& db) -> Result<Read> {
    auto heads = entries::heads(db);
    if (!heads) return no(heads.error());
    Read all{.heads = kj::mv(*heads)};
    for (auto& collection: entries::collections(db))
      all.rows[collection] = entries::all(db, collection);
    return all;
  });
  if (!read) co_return no(read.error());
  for (auto& [key, head]: read->heads) durable[key] = {head, 0};
  std::map<entries::HeadKey, std::set<uint64_t>> present;
  uint64_t newestOwn = 0;
  Hlc seen;
  for (auto& [id, rows]: read->rows) {
    for (auto& row: rows) {
      all[id].items.insert(row.name);
      present[{id, row.author}].insert(row.seq);
      auto& reached = durable[{id, row.author}];
      reached.time = kj::max(reached.time, row.name.time);
      (void)seen.observe(HlcStamp{row.name.time}, around.clock.now());
      if (row.author == around.circle.self()) newestOwn = kj::max(newestOwn, row.name.time);
    }
  }
  accepted = durable;
  clock = Hlc(kj::max(HlcStamp{newestOwn}, seen.newest()));
  for (auto& [key, head]: read->heads) {
    auto& there = present[key];
    if (there.size() == head.entries) continue;
    KJ_LOG(WARNING, "entries of the operation log are gone; they are asked from other devices",
        head.entries - kj::min(head.entries, there.size()));
    for (uint64_t seq = 0; seq < head.entries; ++seq)
      if (!there.contains(seq)) all[key.first].missing.insert({key.second, seq});
  }
  co_return Result<void>();
}

kj::Promise<Result<void>> Log::append(CollectionId collection, Content content) {
  if (lacksOwn(collection))
    co_return no(Errc::ROLLBACK,
        "entries of this device are gone from its disk: it asks the others for them first");
  auto epoch = around.circle.epochToWriteIn();
  KJ_IF_MAYBE(writeIn, epoch) {
    auto key = around.circle.keyOf(*writeIn, collection);
    KJ_IF_MAYBE(sealWith, key) {
      auto& self = around.circle.self();
      auto& head = accepted[{collection, self}].head;
      auto time = clock.tick(around.clock.now()).value;
      auto nonce = around.entropy.draw<crypto::XChaChaPoly::Nonce>();
      auto entry = Entry::make({collection, self, head.entries, head.hash, time, *writeIn},
          *sealWith, nonce, content.encode(), around.circle.signSecret());
      co_await write(kj::mv(entry), kj::mv(content), self);
      co_return Result<void>();
    }
  }
  co_return no(Errc::EPOCH_UNKNOWN, "this device holds no key to write with");
}

// What it wrote after those would be told from them by nobody.
bool Log::lacksOwn(const CollectionId& collection) const {
  auto found = all.find(collection);
  return found != all.end() && std::ranges::any_of(found->second.missing, [this](auto& gone) {
    return gone.first == around.circle.self();
  });
}

std::vector<Log::OwnHead> Log::ownHeads() const {
  std::vector<std::pair<uint64_t, OwnHead>> byTime;
  for (auto& [key, reached]: durable) {
    if (key.second == around.circle.self() && reached.head.entries > 0)
      byTime.push_back({reached.time, {key.first, reached.head}});
  }
  std::ranges::sort(byTime, std::greater<>(), [](auto& each) { return each.first; });
  std::vector<OwnHead> heads;
  for (auto& [time, head]: byTime) heads.push_back(head);
  return heads;
}

void Log::hadOnce(const CollectionId& collection, uint64_t entries) {
  auto& self = around.circle.self();
  auto found = durable.find({collection, self});
  uint64_t has = found == durable.end() ? 0 : found->second.head.entries;
  for (auto seq = has; seq < entries; ++seq) all[collection].missing.insert({self, seq});
}

size_t Log::ownMissing() const {
  size_t count = 0;
  for (auto& [id, collection]: all) {
    count += static_cast<size_t>(std::ranges::count_if(
        collection.missing, [this](auto& gone) { return gone.first == around.circle.self(); }));
  }
  return count;
}

Result<void> Log::follows(const Entry& entry, const Collection& in) const {
  auto& head = entry.head;
  auto found = accepted.find({head.collection, head.author});
  auto [before, time] = found == accepted.end() ? Reached() : found->second;
  if (head.seq > before.entries) return no(Errc::STALE, "an entry before it is missing");
  bool isNext = head.seq == before.entries;
  bool fits = isNext ? head.previous == before.hash : in.missing.contains({head.author, head.seq});
  if (!fits) return no(Errc::EQUIVOCATION, "its author has written another entry in its place");
  // Whoever delivers them by their times delivers them in order.
  if (isNext && head.seq > 0 && head.time <= time)
    return no(Errc::BAD_FORMAT, "an entry that is older than the one before it");
  return {};
}

kj::Promise<Result<bool>> Log::take(crypto::Buffer envelope, DeviceId from) {
  auto entry = Entry::read(kj::mv(envelope));
  if (!entry) co_return no(entry.error());
  static Collection none;
  auto known = all.find(entry->head.collection);
  auto& in = known == all.end() ? none : known->second;
  if (known == all.end() && all.size() >= COLLECTIONS_MAX)
    co_return no(Errc::LIMIT_EXCEEDED, "more collections than a circle has");
  if (in.items.contains({entry->head.time, entry->hash})) co_return false;
  if (auto other = in.underWay.find(entry->hash); other != in.underWay.end()) {
    co_await other->second.addBranch();
    co_return false;
  }
  auto author = around.circle.signerOf(entry->head.author);
  KJ_IF_MAYBE(signer, author) {
    if (auto signedBy = entry->verify(*signer); !signedBy) co_return no(signedBy.error());
    if (auto fits = follows(*entry, in); !fits) co_return no(fits.error());
  } else {
    co_return no(Errc::UNKNOWN_PEER, "an entry by somebody who never was of the circle");
  }
  // A clock that is years ahead is its owner's alone.
  (void)clock.observe(HlcStamp{entry->head.time}, around.clock.now());
  auto content = contentOf(*entry);
  co_await write(kj::mv(*entry), kj::mv(content), from);
  co_return true;
}

kj::Maybe<Content> Log::contentOf(const Entry& entry) const {
  auto key = around.circle.keyOf(entry.head.epoch, entry.head.collection);
  KJ_IF_MAYBE(opens, key) {
    auto plain = entry.open(*opens);
    if (!plain) return nullptr;
    auto content = Content::decode(*plain);
    if (content) return kj::mv(*content);
  }
  return nullptr;
}

// Whoever asked may go away before the disk has answered; what is known of the disk is to be true then too.
kj::Promise<void> Log::write(Entry entry, kj::Maybe<Content> content, DeviceId from) {
  auto hash = entry.hash;
  auto& underWay = all[entry.head.collection].underWay;
  auto done = writeNow(kj::mv(entry), kj::mv(content), from).fork();
  auto over = [&underWay, hash]() { underWay.erase(hash); };
  tasks.add(done.addBranch().then([over]() { over(); }, [over](kj::Exception&&) { over(); }));
  auto branch = done.addBranch();
  underWay.emplace(hash, kj::mv(done));
  return branch;
}

kj::Promise<void> Log::writeNow(Entry entry, kj::Maybe<Content> content, DeviceId from) {
  auto head = entry.head;
  auto hash = entry.hash;
  entries::HeadKey key{head.collection, head.author};
  auto& in = all[head.collection];
  Reached reached{{head.seq + 1, hash}, head.time};
  bool wasMissing = head.seq < accepted[key].head.entries;
  if (!wasMissing) accepted[key] = reached;
  auto label = labelOf(content);
  KJ_ON_SCOPE_FAILURE({
    if (accepted[key].head.entries == head.seq + 1) accepted[key] = durable[key];
  });
  auto place = co_await around.store.write(
      [entry = kj::mv(entry), label, wasMissing](Database& db) -> Result<int64_t> {
        if (!wasMissing) return entries::append(db, entry, label);
        return entries::restore(db, entry, label);
      });
  KJ_REQUIRE(place.has_value(), "the disk did not take an entry before it", place.error().because);
  in.items.insert({head.time, hash});
  in.missing.erase({head.author, head.seq});
  if (!wasMissing) {
    durable[key] = reached;
    // One behind it has failed.
    if (accepted[key].head.entries <= head.seq) accepted[key] = reached;
  }
  kj::Maybe<const Content&> readable;
  KJ_IF_MAYBE(there, content) readable = *there;
  for (auto follower: followers) follower->stored({head, hash, from, *place, readable});
}

kj::Promise<void> Log::readAgain() {
  const DeviceId nobody;
  int64_t after = 0;
  for (;;) {
    auto unread = co_await around.store.read(
        [after](Database& db) { return entries::unread(db, after, READ_AGAIN_BYTES); });
    if (unread.empty()) co_return;
    after = unread.back().place;
    struct Opened {
      int64_t place;
      Entry entry;
      Content content;
    };
    std::vector<Opened> opened;
    for (auto& placed: unread) {
      auto entry = Entry::read(kj::mv(placed.envelope));
      if (!entry) continue;
      auto content = contentOf(*entry);
      KJ_IF_MAYBE(there, content) opened.push_back({placed.place, kj::mv(*entry), kj::mv(*there)});
    }
    std::vector<std::tuple<EntryHead, Digest, entries::Label>> labels;
    for (auto& each: opened)
      labels.emplace_back(each.entry.head, each.entry.hash, each.content.label);
    auto relabel = [labels = kj::mv(labels)](Database& db) {
      for (auto& [head, hash, label]: labels) entries::relabel(db, head, hash, label);
    };
    co_await around.store.write(relabel);
    for (auto& each: opened) {
      for (auto follower: followers)
        follower->stored({each.entry.head, each.entry.hash, nobody, each.place, each.content});
    }
    // What was written down whole meanwhile does not have them yet.
    co_await around.store.write(relabel);
  }
}

std::vector<CollectionId> Log::collections() const {
  std::vector<CollectionId> found;
  for (auto& [id, collection]: all) found.push_back(id);
  return found;
}

// A peer may ask for collections that nobody has: they are not made by it.
const ItemSet& Log::items(const CollectionId& collection) const {
  static const ItemSet NONE;
  auto found = all.find(collection);
  return found == all.end() ? NONE : found->second.items;
}

void Log::taskFailed(kj::Exception&& e) { KJ_LOG(ERROR, "the operation log", e); }

}  // namespace hearth::storage
