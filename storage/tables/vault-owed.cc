#include "storage/tables/vault-owed.h"

#include "storage/tables/blobs.h"
#include "storage/tables/folders.h"

#include <kj/debug.h>

#include <map>

namespace hearth::storage::vault_owed {

namespace {

constexpr const char* NOT_THERE =
    " AND NOT EXISTS (SELECT 1 FROM vault_items AS t JOIN vault_shelves AS s ON s.i = t.shelf"
    " WHERE t.content = b.content AND s.vault = ?1) ";

kj::Maybe<crypto::CollectionId> collectionOf(Database& db, int64_t folder) {
  auto select = db.query("SELECT collection FROM folders WHERE i = ?1", folder);
  if (!select.step()) return nullptr;
  return crypto::CollectionId::from(select.blob(0)).value();
}

}  // namespace

std::vector<Owed> blobs(Database& db, const DeviceId& vault, const ContentId& after, size_t most) {
  std::vector<Owed> found;
  auto select = db.query(kj::str("SELECT b.collection, b.reference FROM blobs AS b"
                                 " WHERE b.content > ?2 AND b.home IN (1, 2) AND b.bytes > 0",
                             NOT_THERE, "ORDER BY b.content LIMIT ?3"),
      vault.asBytes(), after.asBytes(), most);
  while (select.step())
    found.push_back({crypto::CollectionId::from(select.blob(0)).value(),
        BlobRef::parse(select.blob(1)).value()});
  return found;
}

std::vector<Owed> files(Database& db, const DeviceId& vault, const ContentId& after, size_t most) {
  std::vector<ContentId> contents;
  {
    auto select = db.query(kj::str("SELECT DISTINCT b.content FROM folder_local AS b"
                                   " WHERE b.content <> x'' AND b.content > ?2 AND b.size > 0",
                               NOT_THERE, "ORDER BY b.content LIMIT ?3"),
        vault.asBytes(), after.asBytes(), most);
    while (select.step()) contents.push_back(ContentId::from(select.blob(0)).value());
  }
  std::vector<Owed> found;
  for (auto& content: contents) {
    for (auto& copy: folders::copiesOf(db, content, 1)) {
      KJ_IF_MAYBE(collection, collectionOf(db, copy.folder))
        found.push_back({*collection, copy.local.state.content});
    }
  }
  return found;
}

std::vector<BlobName> useless(Database& db, const vault_shelves::Shelf& shelf, size_t most) {
  auto number = vault_shelves::numberOf(db, shelf);
  auto folder = db.query("SELECT i FROM folders AS f WHERE f.collection = ?1 AND NOT EXISTS"
                         " (SELECT 1 FROM folder_pending AS p WHERE p.folder = f.i)",
      shelf.name.collection.asBytes());
  if (number == nullptr || !folder.step()) return {};
  std::map<ContentId, BlobName> unused;
  auto select = db.query("SELECT t.content, t.name FROM vault_items AS t WHERE t.shelf = ?1 AND"
                         " NOT EXISTS (SELECT 1 FROM folder_local AS b WHERE b.content = t.content"
                         " AND b.content <> x'') ORDER BY t.name LIMIT ?2",
      KJ_ASSERT_NONNULL(number), most);
  while (select.step())
    unused.emplace(ContentId::from(select.blob(0)).value(), BlobName::from(select.blob(1)).value());
  auto versions = db.query("SELECT state FROM folder_versions WHERE folder = ?1", folder.number(0));
  while (!unused.empty() && versions.step()) {
    auto encoded = versions.blob(0).asChars();
    auto state = readState({encoded.begin(), encoded.size()});
    if (state && state->kind == PathState::Kind::FILE) unused.erase(state->content.contentId());
  }
  std::vector<BlobName> names;
  for (auto& [content, name]: unused) names.push_back(name);
  return names;
}

bool isHere(Database& db, const ContentId& content) {
  KJ_IF_MAYBE(blob, storage::blobs::find(db, content)) {
    if (blob->home == storage::blobs::Home::ROW || blob->home == storage::blobs::Home::FILE)
      return true;
  }
  return !folders::copiesOf(db, content, 1).empty();
}

}  // namespace hearth::storage::vault_owed
