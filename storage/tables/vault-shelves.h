#pragma once
// What lies on VAULTs: of each shelf (one writer's files of one collection on one VAULT) the items, and the Merkle root
// over them (storage/vault/item.h). On a member that is what the operation log says; on a VAULT what it holds itself.

#include "storage/sql/database.h"
#include "storage/vault/manifest.h"
#include "storage/vault/messages.h"

#include <set>
#include <string>

namespace hearth::storage::vault_shelves {

struct Shelf {
  DeviceId vault;  // zero: what this device holds itself
  VaultShelfName name;

  auto operator<=>(const Shelf&) const = default;
};

// All inside a transaction, where they change something.

// A change as its writer has said it in the log; again and again harmless, if in order.
void apply(Database& db, const DeviceId& writer, const ShelfChange& change);
// How far in the log changes have been applied, by their place there.
int64_t appliedUpto(Database& db);
void setAppliedUpto(Database& db, int64_t place);

// In place of an item of that name; gives the shelf's number.
int64_t put(Database& db, const Shelf& shelf, const ContentId& content, const VaultItem& item);
// Whether it was there.
bool drop(Database& db, const Shelf& shelf, const BlobName& name);
kj::Maybe<VaultItem> find(Database& db, const Shelf& shelf, const BlobName& name);
kj::Maybe<int64_t> numberOf(Database& db, const Shelf& shelf);
// Whose shelf of the collection has that name; the own writer's, where several have.
vault::Whose whose(Database& db, const DeviceId& vault, const crypto::CollectionId& collection,
    const DeviceId& writer, const BlobName& name);

// In order of their names, behind `after`.
std::vector<VaultItem> list(Database& db, const Shelf& shelf, const BlobName& after, size_t most);

// Of a member's table: the items with their content ids, behind `after` and up to `last`.
std::vector<ShelfChange::Put> listed(
    Database& db, const Shelf& shelf, const BlobName& after, const BlobName& last);

struct Rooted {
  uint64_t items = 0;
  Digest root;

  bool operator==(const Rooted&) const = default;
};
// Of what there is, or would be with so much more and less. Remembers buckets that it has computed.
Rooted root(Database& db, const Shelf& shelf, const std::vector<ShelfChange::Put>& more = {},
    const std::vector<BlobName>& less = {});
// As its writer has said last.
Rooted said(Database& db, const Shelf& shelf);

// Shelves of a VAULT that somebody has said something of.
std::vector<Shelf> shelvesOf(Database& db, const DeviceId& vault);

// Where a blob lies.
struct Copy {
  Shelf shelf;
  VaultItem item;

  bool operator==(const Copy&) const = default;
};
std::vector<Copy> copiesOf(Database& db, const ContentId& content);
bool isOn(Database& db, const DeviceId& vault, const ContentId& content);

struct Usage {
  uint64_t items = 0, bytes = 0;
};
Usage usage(Database& db, const DeviceId& vault);

// What this device holds itself: where the bytes of an item are.
struct Held {
  std::string file;  // empty: they are here
  crypto::Buffer bytes;
};
void keepHeld(
    Database& db, int64_t shelf, const BlobName& name, kj::StringPtr file, crypto::Bytes bytes);
void dropHeld(Database& db, int64_t shelf, const BlobName& name);
kj::Maybe<Held> heldOf(Database& db, int64_t shelf, const BlobName& name);
// Empty: none.
std::string fileOf(Database& db, int64_t shelf, const BlobName& name);
std::set<std::string> fileNames(Database& db);

}  // namespace hearth::storage::vault_shelves
