#include "storage/tables/vault-shelves.h"

#include <kj/debug.h>

#include <algorithm>
#include <map>
#include <set>

namespace hearth::storage::vault_shelves {

namespace {

using Changes = std::map<BlobName, kj::Maybe<VaultItem>>;  // none: it goes

int64_t numberOrNew(Database& db, const Shelf& shelf) {
  KJ_IF_MAYBE(known, numberOf(db, shelf)) return *known;
  db.run("INSERT INTO vault_shelves (vault, writer, collection, items, root, count, bytes)"
         " VALUES (?1, ?2, ?3, 0, zeroblob(32), 0, 0)",
      shelf.vault.asBytes(), shelf.name.writer.asBytes(), shelf.name.collection.asBytes());
  return KJ_ASSERT_NONNULL(numberOf(db, shelf));
}

void forgetBucket(Database& db, int64_t shelf, const BlobName& name) {
  db.run("DELETE FROM vault_buckets WHERE shelf = ?1 AND bucket = ?2", shelf, vaultBucketOf(name));
}

VaultItem itemOf(Statement& select, int column) {
  return {BlobName::from(select.blob(column)).value(),
      static_cast<uint64_t>(select.number(column + 1)),
      Digest::from(select.blob(column + 2)).value()};
}

// The items of a bucket, with the changes to it.
std::vector<VaultItem> inBucket(
    Database& db, int64_t shelf, size_t bucket, const Changes& changes) {
  std::map<BlobName, VaultItem> items;
  BlobName first, last;
  first.bytes[0] = static_cast<kj::byte>(bucket);
  memset(last.bytes, 0xff, sizeof(last.bytes));
  last.bytes[0] = static_cast<kj::byte>(bucket);
  auto select = db.query("SELECT name, bytes, hash FROM vault_items"
                         " WHERE shelf = ?1 AND name >= ?2 AND name <= ?3 ORDER BY name",
      shelf, first.asBytes(), last.asBytes());
  while (select.step()) {
    auto item = itemOf(select, 0);
    items.emplace_hint(items.end(), item.name, item);
  }
  for (auto change = changes.lower_bound(first); change != changes.end() && change->first <= last;
      ++change) {
    items.erase(change->first);
    KJ_IF_MAYBE(item, change->second) items.emplace(change->first, *item);
  }
  std::vector<VaultItem> all;
  for (auto& [name, item]: items) all.push_back(item);
  return all;
}

VaultBuckets knownBuckets(Database& db, int64_t shelf, std::set<size_t>& known) {
  VaultBuckets buckets;
  auto select = db.query("SELECT bucket, hash FROM vault_buckets WHERE shelf = ?1", shelf);
  while (select.step()) {
    auto bucket = static_cast<size_t>(select.number(0));
    buckets[bucket] = Digest::from(select.blob(1)).value();
    known.insert(bucket);
  }
  return buckets;
}

uint64_t countOf(Database& db, int64_t shelf) {
  auto select = db.query("SELECT count FROM vault_shelves WHERE i = ?1", shelf);
  return select.step() ? static_cast<uint64_t>(select.number(0)) : 0;
}

// An item's bytes have come or gone.
void count(Database& db, int64_t shelf, int64_t items, uint64_t bytes) {
  db.run("UPDATE vault_shelves SET count = count + ?2, bytes = bytes + ?2 * ?3 WHERE i = ?1", shelf,
      items, bytes);
}

}  // namespace

void apply(Database& db, const DeviceId& writer, const ShelfChange& change) {
  Shelf shelf{change.vault, {writer, change.collection}};
  auto number = numberOrNew(db, shelf);
  for (auto& [content, item]: change.put) put(db, shelf, content, item);
  for (auto& name: change.dropped) drop(db, shelf, name);
  db.run("UPDATE vault_shelves SET items = ?2, root = ?3 WHERE i = ?1", number, change.items,
      change.root.asBytes());
}

int64_t appliedUpto(Database& db) {
  auto select = db.query("SELECT place FROM vault_state");
  return select.step() ? select.number(0) : 0;
}

void setAppliedUpto(Database& db, int64_t place) {
  db.run("UPDATE vault_state SET place = ?1", place);
}

int64_t put(Database& db, const Shelf& shelf, const ContentId& content, const VaultItem& item) {
  auto number = numberOrNew(db, shelf);
  drop(db, shelf, item.name);
  db.run("INSERT INTO vault_items (shelf, name, content, bytes, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
      number, item.name.asBytes(), content.asBytes(), item.bytes, item.hash.asBytes());
  count(db, number, 1, item.bytes);
  forgetBucket(db, number, item.name);
  return number;
}

bool drop(Database& db, const Shelf& shelf, const BlobName& name) {
  KJ_IF_MAYBE(item, find(db, shelf, name)) {
    auto number = KJ_ASSERT_NONNULL(numberOf(db, shelf));
    db.run("DELETE FROM vault_items WHERE shelf = ?1 AND name = ?2", number, name.asBytes());
    count(db, number, -1, item->bytes);
    forgetBucket(db, number, name);
    return true;
  }
  return false;
}

kj::Maybe<int64_t> numberOf(Database& db, const Shelf& shelf) {
  auto select =
      db.query("SELECT i FROM vault_shelves WHERE vault = ?1 AND writer = ?2 AND collection = ?3",
          shelf.vault.asBytes(), shelf.name.writer.asBytes(), shelf.name.collection.asBytes());
  if (!select.step()) return nullptr;
  return select.number(0);
}

kj::Maybe<VaultItem> find(Database& db, const Shelf& shelf, const BlobName& name) {
  KJ_IF_MAYBE(number, numberOf(db, shelf)) {
    auto select =
        db.query("SELECT name, bytes, hash FROM vault_items WHERE shelf = ?1 AND name = ?2",
            *number, name.asBytes());
    if (select.step()) return itemOf(select, 0);
  }
  return nullptr;
}

vault::Whose whose(Database& db, const DeviceId& vault, const crypto::CollectionId& collection,
    const DeviceId& writer, const BlobName& name) {
  auto found = vault::Whose::NOBODYS;
  auto select = db.query("SELECT s.writer FROM vault_shelves AS s JOIN vault_items AS t"
                         " ON t.shelf = s.i AND t.name = ?3 WHERE s.vault = ?1 AND"
                         " s.collection = ?2",
      vault.asBytes(), collection.asBytes(), name.asBytes());
  while (select.step()) {
    if (DeviceId::from(select.blob(0)).value() == writer) return vault::Whose::OWN;
    found = vault::Whose::ANOTHERS;
  }
  return found;
}

std::vector<VaultItem> list(Database& db, const Shelf& shelf, const BlobName& after, size_t most) {
  std::vector<VaultItem> found;
  KJ_IF_MAYBE(number, numberOf(db, shelf)) {
    auto select = db.query("SELECT name, bytes, hash FROM vault_items WHERE shelf = ?1 AND"
                           " name > ?2 ORDER BY name LIMIT ?3",
        *number, after.asBytes(), most);
    while (select.step()) found.push_back(itemOf(select, 0));
  }
  return found;
}

std::vector<ShelfChange::Put> listed(
    Database& db, const Shelf& shelf, const BlobName& after, const BlobName& last) {
  std::vector<ShelfChange::Put> found;
  KJ_IF_MAYBE(number, numberOf(db, shelf)) {
    auto select = db.query("SELECT name, bytes, hash, content FROM vault_items WHERE shelf = ?1 AND"
                           " name > ?2 AND name <= ?3 ORDER BY name",
        *number, after.asBytes(), last.asBytes());
    while (select.step())
      found.push_back({ContentId::from(select.blob(3)).value(), itemOf(select, 0)});
  }
  return found;
}

Rooted root(Database& db, const Shelf& shelf, const std::vector<ShelfChange::Put>& more,
    const std::vector<BlobName>& less) {
  auto number = numberOrNew(db, shelf);
  Changes changes;
  for (auto& [content, item]: more) changes[item.name] = item;
  for (auto& name: less) changes[name] = nullptr;
  auto items = countOf(db, number);
  std::set<size_t> touched, known;
  for (auto& [name, item]: changes) {
    touched.insert(vaultBucketOf(name));
    bool isThere = find(db, shelf, name) != nullptr;
    items = items + (item != nullptr) - isThere;
  }
  auto buckets = knownBuckets(db, number, known);
  for (size_t bucket = 0; bucket < VAULT_BUCKETS; ++bucket) {
    bool isTouched = touched.contains(bucket);
    if (known.contains(bucket) && !isTouched) continue;
    buckets[bucket] = vaultBucket(inBucket(db, number, bucket, changes));
    if (!isTouched)
      db.run("INSERT OR REPLACE INTO vault_buckets VALUES (?1, ?2, ?3)", number, bucket,
          buckets[bucket].asBytes());
  }
  return {items, vaultRoot(items, buckets)};
}

Rooted said(Database& db, const Shelf& shelf) {
  auto select = db.query("SELECT items, root FROM vault_shelves WHERE vault = ?1 AND writer = ?2"
                         " AND collection = ?3",
      shelf.vault.asBytes(), shelf.name.writer.asBytes(), shelf.name.collection.asBytes());
  if (!select.step()) return {};
  return {static_cast<uint64_t>(select.number(0)), Digest::from(select.blob(1)).value()};
}

std::vector<Shelf> shelvesOf(Database& db, const DeviceId& vault) {
  std::vector<Shelf> found;
  auto select = db.query(
      "SELECT writer, collection FROM vault_shelves WHERE vault = ?1 ORDER BY i", vault.asBytes());
  while (select.step()) {
    found.push_back({vault,
        {DeviceId::from(select.blob(0)).value(),
            crypto::CollectionId::from(select.blob(1)).value()}});
  }
  return found;
}

std::vector<Copy> copiesOf(Database& db, const ContentId& content) {
  std::vector<Copy> found;
  auto select = db.query("SELECT t.name, t.bytes, t.hash, s.vault, s.writer, s.collection FROM"
                         " vault_items AS t JOIN vault_shelves AS s ON s.i = t.shelf"
                         " WHERE t.content = ?1 ORDER BY s.i",
      content.asBytes());
  while (select.step()) {
    Shelf shelf{DeviceId::from(select.blob(3)).value(),
        {DeviceId::from(select.blob(4)).value(),
            crypto::CollectionId::from(select.blob(5)).value()}};
    found.push_back({shelf, itemOf(select, 0)});
  }
  return found;
}

bool isOn(Database& db, const DeviceId& vault, const ContentId& content) {
  auto select = db.query("SELECT 1 FROM vault_items AS t JOIN vault_shelves AS s ON s.i = t.shelf"
                         " WHERE t.content = ?1 AND s.vault = ?2",
      content.asBytes(), vault.asBytes());
  return select.step();
}

Usage usage(Database& db, const DeviceId& vault) {
  auto select =
      db.query("SELECT coalesce(sum(count), 0), coalesce(sum(bytes), 0) FROM vault_shelves"
               " WHERE vault = ?1",
          vault.asBytes());
  if (!select.step()) return {};
  return {static_cast<uint64_t>(select.number(0)), static_cast<uint64_t>(select.number(1))};
}

void keepHeld(
    Database& db, int64_t shelf, const BlobName& name, kj::StringPtr file, crypto::Bytes bytes) {
  db.run("INSERT OR REPLACE INTO vault_held VALUES (?1, ?2, ?3, ?4)", shelf, name.asBytes(), file,
      bytes);
}

void dropHeld(Database& db, int64_t shelf, const BlobName& name) {
  db.run("DELETE FROM vault_held WHERE shelf = ?1 AND name = ?2", shelf, name.asBytes());
}

kj::Maybe<Held> heldOf(Database& db, int64_t shelf, const BlobName& name) {
  auto select = db.query(
      "SELECT file, bytes FROM vault_held WHERE shelf = ?1 AND name = ?2", shelf, name.asBytes());
  if (!select.step()) return nullptr;
  return Held{select.text(0).cStr(), kj::heapArray<kj::byte>(select.blob(1))};
}

std::string fileOf(Database& db, int64_t shelf, const BlobName& name) {
  auto select =
      db.query("SELECT file FROM vault_held WHERE shelf = ?1 AND name = ?2", shelf, name.asBytes());
  return select.step() ? select.text(0).cStr() : "";
}

std::set<std::string> fileNames(Database& db) {
  std::set<std::string> found;
  auto select = db.query("SELECT file FROM vault_held WHERE file <> ''");
  while (select.step()) found.insert(select.text(0).cStr());
  return found;
}

}  // namespace hearth::storage::vault_shelves
