#include "devices/data/blob-store.h"

#include "storage/tables/blob-parts.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace blobs = storage::blobs;

using crypto::Buffer;
using storage::Database;

crypto::CollectionId namedBlobs() {
  auto hash = crypto::hash("hearth/collection/v1", {kj::StringPtr("blobs").asBytes()});
  return crypto::CollectionId::from(hash.asBytes().slice(0, crypto::CollectionId::SIZE)).value();
}

// A database that was put back does not know what it knew: its files may be the only copies.
kj::Promise<void> BlobStore::start() {
  if (around.circle.hasForgotten()) co_return;
  auto names = co_await around.disk.run([](BlobDisk::Files& files) { return files.all().names(); });
  auto strays = co_await around.store.read(
      [names = kj::mv(names)](Database& db) mutable { return blobs::strays(db, names); });
  if (strays.empty()) co_return;
  KJ_LOG(INFO, "files of blobs that nobody knows are shredded", strays.size());
  co_await shred(kj::mv(strays), {});
}

kj::Promise<kj::Maybe<BlobStore::Blob>> BlobStore::find(ContentId content) {
  return around.store.read([content](Database& db) { return blobs::find(db, content); });
}

kj::Promise<Result<Buffer>> BlobStore::read(Blob blob, uint64_t offset, size_t bytes) {
  KJ_REQUIRE(bytes <= READ_BYTES_MAX && offset + bytes <= blob.ref.top.length);
  auto told = [](const storage::BlobFault& fault) {
    KJ_LOG(ERROR, "a blob cannot be read", fault);
    return no(
        fault.code, "the blob is damaged on this disk, and no other device is known to have it");
  };
  if (blob.home == Home::ROW) {
    auto row =
        co_await around.store.read([blob](Database& db) { return blobs::getSmall(db, blob); });
    if (!row) co_return told(row.error());
    co_return kj::heapArray<kj::byte>(row->slice(offset, offset + bytes));
  }
  auto keys = around.circle.keysOf(blob.epoch, blob.collection);
  if (keys == nullptr) co_return no(Errc::EPOCH_UNKNOWN, "this device holds no key for that blob");
  BlobDisk::Sealed sealed{
      blob.ref.contentId(), blob.ref.top.length, kj::mv(KJ_ASSERT_NONNULL(keys))};
  auto out = kj::heapArray<kj::byte>(bytes);
  auto read = co_await around.disk.run(
      [&](BlobDisk::Files& files) { return files.read(sealed, offset, out); });
  if (!read) co_return told(read.error());
  co_return kj::mv(out);
}

kj::Promise<void> BlobStore::pin(ContentId content, bool pinned) {
  return around.store.write([content, pinned](Database& db) { blobs::pin(db, content, pinned); });
}

kj::Promise<void> BlobStore::setElsewhere(ContentId content, uint32_t devices) {
  return around.store.write([content, devices](Database& db) {
    if (blobs::find(db, content) != nullptr) blobs::setElsewhere(db, content, devices);
  });
}

// In this order: what a kill leaves then is a file that no row names.
kj::Promise<void> BlobStore::letGo(ContentId content) {
  auto name = co_await around.store.write([content](Database& db) {
    std::string name;
    KJ_IF_MAYBE(blob, blobs::find(db, content)) {
      name = blob->fileName;
      bool isWanted = blob->references > 0 || blob->pinned;
      if (isWanted) {
        blobs::letGo(db, content);
      } else {
        blobs::forget(db, content);
      }
    }
    return name;
  });
  if (!name.empty()) co_await shred({name}, {content});
}

kj::Promise<void> BlobStore::shred(
    std::vector<std::string> fileNames, std::vector<ContentId> contents) {
  return around.disk.run(
      [fileNames = kj::mv(fileNames), contents = kj::mv(contents)](BlobDisk::Files& files) {
        for (auto& content: contents) files.forget(content);
        for (auto& name: fileNames) files.all().shred(name.c_str());
      });
}

kj::Promise<blobs::Usage> BlobStore::usage() {
  return around.store.read([](Database& db) { return blobs::usage(db); });
}

kj::Promise<Result<std::vector<ContentId>>> BlobStore::makeRoom(uint64_t bytes) {
  auto used = co_await usage();
  std::vector<ContentId> gone;
  if (used.bytes + bytes <= roomBytes) co_return kj::mv(gone);
  auto tooMuch = used.bytes + bytes - roomBytes;
  if (tooMuch > used.evictable)
    co_return no(Errc::QUOTA_EXCEEDED,
        "there is no room for it, and nothing here that other devices keep: remove or unpin blobs");
  gone =
      co_await around.store.read([tooMuch](Database& db) { return blobs::evictable(db, tooMuch); });
  for (auto& content: gone) co_await letGo(content);
  co_return kj::mv(gone);
}

namespace {

// A part that was found in the database, or where it lies in a file.
struct Located {
  crypto::CollectionId collection;
  Buffer bytes;                         // of a row or a node
  const BlobStore::Blob* in = nullptr;  // its file
  uint64_t offset = 0;
};

// What the database knows of parts. Rows are read once for all parts of a blob.
struct Plan {
  std::map<ContentId, kj::Maybe<BlobStore::Blob>> rows;
  kj::Vector<kj::Maybe<Located>> parts;
};

kj::Maybe<Located> locate(Database& db, blobs::TreeWalk& walk, const BlobStore::Blob& blob,
    const storage::AskedPart& asked) {
  Located part{.collection = blob.collection};
  if (blob.home == blobs::Home::ROW) {
    if (asked.level > 0 || asked.offset > 0) return nullptr;
    auto bytes = blobs::getSmall(db, blob);
    if (!bytes) return nullptr;
    part.bytes = kj::mv(*bytes);
    return kj::mv(part);
  }
  if (blob.home != blobs::Home::FILE) return nullptr;
  KJ_IF_MAYBE(found, walk.find(blob.ref, asked.level, asked.offset)) {
    if (asked.level > 0) {
      part.bytes = kj::mv(found->node);
    } else {
      part.bytes = kj::heapArray<kj::byte>(found->part.length);
      part.in = &blob;
      part.offset = asked.offset;
    }
    return kj::mv(part);
  }
  return nullptr;
}

Plan planFor(Database& db, const std::vector<storage::AskedPart>& asked, size_t mostBytes) {
  Plan plan;
  blobs::TreeWalk walk(db);
  size_t bytes = 0;
  for (auto& part: asked) {
    if (bytes >= mostBytes) break;
    auto [row, isNew] = plan.rows.try_emplace(part.content);
    if (isNew) row->second = blobs::find(db, part.content);
    kj::Maybe<Located> located;
    KJ_IF_MAYBE(blob, row->second) located = locate(db, walk, *blob, part);
    KJ_IF_MAYBE(found, located) bytes += found->bytes.size();
    plan.parts.add(kj::mv(located));
  }
  return plan;
}

// Files that the plan reads from. For what this device has no key it is not here.
std::map<ContentId, BlobDisk::Sealed> filesOf(Plan& plan, const BlobCircle& circle) {
  std::map<ContentId, BlobDisk::Sealed> files;
  for (auto& [content, row]: plan.rows) {
    KJ_IF_MAYBE(blob, row) {
      if (blob->home != blobs::Home::FILE) continue;
      KJ_IF_MAYBE(keys, circle.keysOf(blob->epoch, blob->collection))
        files.emplace(content, BlobDisk::Sealed{content, blob->ref.top.length, kj::mv(*keys)});
    }
  }
  return files;
}

// What cannot be read is not here.
void readAll(Plan& plan, std::map<ContentId, BlobDisk::Sealed>& sealed, BlobDisk::Files& files) {
  for (auto& part: plan.parts) {
    KJ_IF_MAYBE(found, part) {
      if (found->in == nullptr) continue;
      auto blob = sealed.find(found->in->ref.contentId());
      bool isRead = false;
      if (blob != sealed.end()) {
        auto done = files.read(blob->second, found->offset, found->bytes);
        if (!done) KJ_LOG(ERROR, "a blob cannot be read", done.error());
        isRead = done.has_value();
      }
      if (!isRead) part = nullptr;
    }
  }
}

}  // namespace

kj::Promise<BlobPlace::Answers> BlobStore::parts(
    std::vector<storage::AskedPart> asked, size_t mostBytes) {
  auto plan = co_await around.store.read(
      [asked = kj::mv(asked), mostBytes](Database& db) { return planFor(db, asked, mostBytes); });
  auto sealed = filesOf(plan, around.circle);
  if (!sealed.empty())
    co_await around.disk.run([&](BlobDisk::Files& files) { readAll(plan, sealed, files); });
  Answers answers(plan.parts.size());
  for (auto& part: plan.parts) {
    kj::Maybe<Found> answer;
    KJ_IF_MAYBE(found, part) answer = Found{found->collection, kj::mv(found->bytes)};
    answers.add(kj::mv(answer));
  }
  co_return kj::mv(answers);
}

}  // namespace hearth::devices
