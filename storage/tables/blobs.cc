#include "storage/tables/blobs.h"

#include <kj/debug.h>

#include <set>

namespace hearth::storage::blobs {

namespace {

constexpr const char* EVICTABLE =
    " FROM blobs WHERE home IN (1, 2) AND pinned = 0 AND elsewhere > 0 ";

int64_t rowOf(Database& db, const ContentId& content) {
  auto select = db.query("SELECT i FROM blobs WHERE content = ?1", content.asBytes());
  KJ_REQUIRE(select.step(), "a blob that is not known");
  return select.number(0);
}

void dropBytes(Database& db, int64_t row) {
  db.run("DELETE FROM blob_bytes WHERE blob = ?1", row);
  db.run("DELETE FROM blob_nodes WHERE i IN (SELECT node FROM blob_node_uses WHERE blob = ?1)"
         " AND NOT EXISTS (SELECT 1 FROM blob_node_uses WHERE node = blob_nodes.i AND blob <> ?1)",
      row);
  db.run("DELETE FROM blob_node_uses WHERE blob = ?1", row);
}

std::vector<ContentId> contents(Statement select) {
  std::vector<ContentId> found;
  while (select.step()) found.push_back(ContentId::from(select.blob(0)).value());
  return found;
}

}  // namespace

void put(Database& db, const Blob& blob) {
  auto reference = blob.ref.encode();
  db.run(
      "INSERT INTO blobs (content, collection, epoch, reference, bytes, home, file, refs, pinned, elsewhere, used_ms)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (content) DO UPDATE SET"
      " collection = ?2, epoch = ?3, reference = ?4, bytes = ?5, home = ?6, file = ?7, refs = ?8, pinned = ?9,"
      " elsewhere = ?10, used_ms = ?11",
      blob.ref.contentId().asBytes(), blob.collection.asBytes(), blob.epoch.asBytes(),
      reference.asPtr(), blob.ref.top.length, static_cast<int>(blob.home),
      kj::StringPtr(blob.fileName.c_str()), blob.references, blob.pinned ? 1 : 0, blob.elsewhere,
      blob.usedMs);
}

kj::Maybe<Blob> find(Database& db, const ContentId& content) {
  auto select =
      db.query("SELECT collection, epoch, reference, home, file, refs, pinned, elsewhere, used_ms"
               " FROM blobs WHERE content = ?1",
          content.asBytes());
  if (!select.step()) return nullptr;
  Blob blob;
  blob.collection = crypto::CollectionId::from(select.blob(0)).value();
  blob.epoch = EpochId::from(select.blob(1)).value();
  blob.ref = BlobRef::parse(select.blob(2)).value();
  blob.home = static_cast<Home>(select.number(3));
  blob.fileName = select.text(4).cStr();
  blob.references = static_cast<uint64_t>(select.number(5));
  blob.pinned = select.number(6) != 0;
  blob.elsewhere = static_cast<uint32_t>(select.number(7));
  blob.usedMs = select.number(8);
  return blob;
}

void refer(Database& db, const ContentId& content, int64_t more) {
  auto row = rowOf(db, content);
  auto changed =
      db.query("UPDATE blobs SET refs = refs + ?2 WHERE i = ?1 AND refs + ?2 >= 0 RETURNING refs",
          row, more);
  KJ_REQUIRE(changed.step(), "more references are taken back than were made");
  while (changed.step()) {}
}

void pin(Database& db, const ContentId& content, bool pinned) {
  db.run("UPDATE blobs SET pinned = ?2 WHERE i = ?1", rowOf(db, content), pinned ? 1 : 0);
}

void use(Database& db, const ContentId& content, int64_t nowMs) {
  db.run("UPDATE blobs SET used_ms = ?2 WHERE i = ?1", rowOf(db, content), nowMs);
}

void setElsewhere(Database& db, const ContentId& content, uint32_t devices) {
  db.run("UPDATE blobs SET elsewhere = ?2 WHERE i = ?1", rowOf(db, content), devices);
}

void putSmall(Database& db, Blob blob, crypto::Bytes bytes) {
  KJ_REQUIRE(blob.ref.level == 0 && bytes.size() == blob.ref.top.length);
  KJ_REQUIRE(bytes.size() <= ROW_BYTES_MAX, bytes.size());
  blob.home = Home::ROW;
  put(db, blob);
  db.run(
      "INSERT OR REPLACE INTO blob_bytes VALUES (?1, ?2)", rowOf(db, blob.ref.contentId()), bytes);
}

BlobResult<crypto::Buffer> getSmall(Database& db, const Blob& blob) {
  auto content = blob.ref.contentId();
  auto damaged = [&](kj::StringPtr because) {
    return std::unexpected(BlobFault{
        Errc::INTEGRITY_FAILED, because, blob.collection, blobId(blob.collection, content)});
  };
  auto select = db.query("SELECT b.bytes FROM blob_bytes AS b JOIN blobs ON blobs.i = b.blob"
                         " WHERE blobs.content = ?1",
      content.asBytes());
  auto found = select.tryStep();
  if (!found || !*found) return damaged("a row that is missing");
  auto bytes = kj::heapArray<kj::byte>(select.blob(0));
  if (!verifyChunk(expectedTop(blob.ref), bytes)) return damaged("a row with other bytes");
  return kj::mv(bytes);
}

void letGo(Database& db, const ContentId& content) {
  auto row = rowOf(db, content);
  db.run("UPDATE blobs SET home = 0, file = '', epoch = zeroblob(32) WHERE i = ?1", row);
  dropBytes(db, row);
}

void forget(Database& db, const ContentId& content) {
  auto row = rowOf(db, content);
  dropBytes(db, row);
  auto gone = db.query("DELETE FROM blobs WHERE i = ?1 AND refs = 0 RETURNING i", row);
  KJ_REQUIRE(gone.step(), "something refers to the blob");
  while (gone.step()) {}
}

std::vector<std::string> strays(Database& db, kj::ArrayPtr<const kj::String> fileNames) {
  std::set<std::string> named;
  auto select = db.query("SELECT file FROM blobs WHERE file <> ''");
  while (select.step()) named.insert(select.text(0).cStr());
  std::vector<std::string> found;
  for (auto& name: fileNames) {
    if (!named.contains(name.cStr())) found.push_back(name.cStr());
  }
  return found;
}

void putNode(Database& db, const ContentId& content, const Digest& hash, crypto::Bytes encoded) {
  db.run(
      "INSERT OR IGNORE INTO blob_nodes (hash, encoded) VALUES (?1, ?2)", hash.asBytes(), encoded);
  db.run("INSERT OR IGNORE INTO blob_node_uses SELECT i, ?2 FROM blob_nodes WHERE hash = ?1",
      hash.asBytes(), rowOf(db, content));
}

kj::Maybe<crypto::Buffer> node(Database& db, const Digest& hash) {
  auto select = db.query("SELECT encoded FROM blob_nodes WHERE hash = ?1", hash.asBytes());
  if (!select.step()) return nullptr;
  return kj::heapArray<kj::byte>(select.blob(0));
}

Usage usage(Database& db) {
  auto sum = [&](const kj::String& sql) {
    auto select = db.query(sql);
    return select.step() ? static_cast<uint64_t>(select.number(0)) : 0;
  };
  return {sum(kj::str("SELECT coalesce(sum(bytes), 0) FROM blobs WHERE home IN (1, 2)")),
      sum(kj::str("SELECT coalesce(sum(bytes), 0)", EVICTABLE))};
}

std::vector<ContentId> evictable(Database& db, uint64_t bytes) {
  auto select = db.query(kj::str("SELECT content, bytes", EVICTABLE, "ORDER BY used_ms, i"));
  std::vector<ContentId> found;
  uint64_t sum = 0;
  while (sum < bytes && select.step()) {
    found.push_back(ContentId::from(select.blob(0)).value());
    sum += static_cast<uint64_t>(select.number(1));
  }
  return found;
}

std::vector<ContentId> unreferenced(Database& db, size_t most) {
  return contents(db.query(
      "SELECT content FROM blobs WHERE refs = 0 AND pinned = 0 ORDER BY i LIMIT ?1", most));
}

}  // namespace hearth::storage::blobs
