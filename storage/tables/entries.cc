#include "storage/tables/entries.h"

#include "core/base/flat.h"
#include "storage/tables/entries-queries.h"
#include "storage/tables/search-state.h"
#include "storage/tables/snapshots.h"

#include <kj/debug.h>

namespace hearth::storage::entries {

namespace {

using crypto::CollectionId;

constexpr kj::StringPtr HISTORY = "head_history"_kj;

int64_t insert(Database& db, const Entry& entry, const Label& label) {
  auto& head = entry.head;
  db.run("INSERT INTO entries (collection, time, hash, author, seq, topic, kind, target, envelope)"
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      head.collection.asBytes(), head.time, entry.hash.asBytes(), head.author.asBytes(), head.seq,
      kj::StringPtr(label.topic.c_str()), label.kind, label.target, entry.envelope.asPtr());
  auto select = db.query("SELECT last_insert_rowid()");
  select.step();
  return select.number(0);
}

void addHistory(Database& db, const HeadKey& key, const Head& head) {
  FlatWriter row;
  row.bytes(key.first.asBytes())
      .bytes(key.second.asBytes())
      .u64(head.entries)
      .bytes(head.hash.asBytes());
  chain::append(db, HISTORY, row.asBytes());
}

Heads headsNow(Database& db) {
  Heads found;
  auto select = db.query("SELECT collection, author, entries, hash FROM heads");
  while (select.step()) {
    HeadKey key{CollectionId::from(select.blob(0)).value(), DeviceId::from(select.blob(1)).value()};
    found[key] = {static_cast<uint64_t>(select.number(2)), Digest::from(select.blob(3)).value()};
  }
  return found;
}

Head headOf(Database& db, const EntryHead& of) {
  auto select = db.query("SELECT entries, hash FROM heads WHERE collection = ?1 AND author = ?2",
      of.collection.asBytes(), of.author.asBytes());
  if (!select.step()) return {};
  return {static_cast<uint64_t>(select.number(0)), Digest::from(select.blob(1)).value()};
}

}  // namespace

Result<int64_t> append(Database& db, const Entry& entry, const Label& label) {
  auto& head = entry.head;
  auto before = headOf(db, head);
  if (head.seq != before.entries || head.previous != before.hash)
    return no(Errc::STALE, "an entry that does not follow what is on disk");
  auto place = insert(db, entry, label);
  auto select = db.query("SELECT count(*) FROM heads");
  select.step();
  if (chain::size(db, HISTORY) >= HISTORY_MAX + 2 * static_cast<size_t>(select.number(0))) {
    auto all = headsNow(db);
    chain::forgetRows(db, HISTORY);
    for (auto& [key, known]: all) addHistory(db, key, known);
  }
  Head now{head.seq + 1, entry.hash};
  db.run("INSERT INTO heads VALUES (?1, ?2, ?3, ?4) ON CONFLICT (collection, author)"
         " DO UPDATE SET entries = ?3, hash = ?4",
      head.collection.asBytes(), head.author.asBytes(), now.entries, now.hash.asBytes());
  addHistory(db, {head.collection, head.author}, now);
  return place;
}

int64_t restore(Database& db, const Entry& entry, const Label& label) {
  return insert(db, entry, label);
}

void relabel(Database& db, const EntryHead& head, const Digest& hash, const Label& label) {
  auto update = db.query("UPDATE entries SET topic = ?1, kind = ?2, target = ?3"
                         " WHERE collection = ?4 AND time = ?5 AND hash = ?6 RETURNING i",
      kj::StringPtr(label.topic.c_str()), label.kind, label.target, head.collection.asBytes(),
      head.time, hash.asBytes());
  if (update.step()) search_state::seenAnew(db, update.number(0));
  snapshots::forget(db, head.collection, label.topic.c_str());
}

Result<Heads> heads(Database& db) {
  Heads added;
  auto rows = chain::rows(db, HISTORY);
  while (rows.step()) {
    FlatReader in(rows.blob(0));
    auto collection = in.id<CollectionId>();
    auto author = in.id<DeviceId>();
    auto entries = in.u64();
    added[{collection, author}] = {entries, in.id<Digest>()};
    KJ_ASSERT(in.finish().has_value());  // rows are authenticated
  }
  if (added != headsNow(db))
    return no(
        Errc::INTEGRITY_FAILED, "the heads of the operation log are not those that were written");
  return added;
}

std::vector<CollectionId> collections(Database& db) {
  std::vector<CollectionId> found;
  auto select = db.query("SELECT DISTINCT collection FROM heads");
  while (select.step()) found.push_back(CollectionId::from(select.blob(0)).value());
  return found;
}

std::vector<Row> all(Database& db, const CollectionId& collection) {
  std::vector<Row> found;
  auto select = db.query(ALL, collection.asBytes());
  while (select.step()) {
    found.push_back(
        {{static_cast<uint64_t>(select.number(0)), Digest::from(select.blob(1)).value()},
            DeviceId::from(select.blob(2)).value(), static_cast<uint64_t>(select.number(3))});
  }
  return found;
}

std::vector<crypto::Buffer> envelopes(Database& db, const CollectionId& collection,
    kj::ArrayPtr<const ItemName> names, size_t bytesMost) {
  std::vector<crypto::Buffer> found;
  size_t bytes = 0;
  for (auto& name: names) {
    auto select =
        db.query("SELECT envelope FROM entries WHERE collection = ?1 AND time = ?2 AND hash = ?3",
            collection.asBytes(), name.time, name.id.asBytes());
    if (!select.step()) continue;
    bytes += select.blob(0).size();
    if (bytes > bytesMost && !found.empty()) break;
    found.push_back(kj::heapArray<kj::byte>(select.blob(0)));
  }
  return found;
}

std::vector<Placed> ofTopic(Database& db, const CollectionId& collection, kj::StringPtr topic,
    int64_t after, size_t bytesMost) {
  std::vector<Placed> found;
  size_t bytes = 0;
  auto select = db.query(OF_TOPIC, collection.asBytes(), topic, after);
  while (bytes < bytesMost && select.step()) {
    bytes += select.blob(1).size();
    found.push_back({select.number(0), kj::heapArray<kj::byte>(select.blob(1))});
  }
  return found;
}

std::vector<Placed> unread(Database& db, int64_t after, size_t bytesMost) {
  std::vector<Placed> found;
  size_t bytes = 0;
  auto select = db.query(UNREAD, after);
  while (bytes < bytesMost && select.step()) {
    bytes += select.blob(1).size();
    found.push_back({select.number(0), kj::heapArray<kj::byte>(select.blob(1))});
  }
  return found;
}

std::vector<std::string> topics(Database& db, const CollectionId& collection) {
  std::vector<std::string> found;
  auto select = db.query(TOPICS, collection.asBytes());
  while (select.step()) found.emplace_back(select.text(0).cStr());
  return found;
}

std::vector<Written> writtenBy(
    Database& db, const CollectionId& collection, kj::StringPtr topic, const DeviceId& author) {
  std::vector<Written> found;
  auto select = db.query(WRITTEN_BY, collection.asBytes(), topic, author.asBytes());
  while (select.step()) {
    found.push_back({static_cast<uint64_t>(select.number(0)),
        static_cast<uint8_t>(select.number(1)), static_cast<uint64_t>(select.number(2))});
  }
  return found;
}

kj::Maybe<crypto::Buffer> find(Database& db, const CollectionId& collection, kj::StringPtr topic,
    const DeviceId& author, uint64_t seq) {
  auto select = db.query(FIND, collection.asBytes(), topic, author.asBytes(), seq);
  if (!select.step()) return nullptr;
  return kj::heapArray<kj::byte>(select.blob(0));
}

uint64_t following(
    Database& db, const CollectionId& collection, kj::StringPtr topic, const DeviceId& author) {
  auto select = db.query("SELECT coalesce(max(seq) + 1, 0) FROM entries"
                         " WHERE collection = ?1 AND topic = ?2 AND author = ?3",
      collection.asBytes(), topic, author.asBytes());
  select.step();
  return static_cast<uint64_t>(select.number(0));
}

}  // namespace hearth::storage::entries
