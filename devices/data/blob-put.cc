#include "devices/data/blob-put.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace blobs = storage::blobs;

using crypto::Buffer;
using storage::Database;

namespace {

constexpr Error CHANGED{
    Errc::BAD_FORMAT, "the file has changed while it was read: put it again"_kj};

}  // namespace

// The bytes from their beginning to their end.
struct BlobPut::Pass {
  std::vector<std::pair<Digest, Buffer>> nodes;
  storage::BlobCutter cutter;
  uint64_t bytes = 0;

  explicit Pass(const storage::Gear& gear)
      : cutter(
            gear, [](const storage::Cut&) {},
            [this](const Digest& hash, crypto::Bytes encoded) {
              nodes.emplace_back(hash, kj::heapArray<kj::byte>(encoded));
            }) {}
};

BlobPut::BlobPut(BlobStore::Surroundings around, storage::ChunkKey chunkKey)
    : around(around),
      gear(chunkKey),
      pass(kj::heap<Pass>(gear)) {}

BlobPut::~BlobPut() noexcept(false) {}

kj::Promise<Result<void>> BlobPut::add(Buffer bytes) {
  if (pass->bytes + bytes.size() > storage::BLOB_BYTES_MAX)
    co_return no(Errc::LIMIT_EXCEEDED, "a blob has at most 4 TiB");
  KJ_IF_MAYBE(cut, reference) {
    if (pass->bytes + bytes.size() > cut->top.length) co_return no(CHANGED);
    if (writing == nullptr) {
      if (auto begun = co_await beginSealing(); !begun) co_return no(begun.error());
    }
  } else if (pass->bytes + bytes.size() <= blobs::ROW_BYTES_MAX) {
    auto more = kj::heapArray<kj::byte>(small.size() + bytes.size());
    auto end = std::copy(small.begin(), small.end(), more.begin());
    std::copy(bytes.begin(), bytes.end(), end);
    small = kj::mv(more);
  } else {
    small = nullptr;
  }
  co_await around.disk.run([&](BlobDisk::Files&) {
    pass->cutter.add(bytes);
    if (writing != nullptr) (*writing)->add(bytes);
  });
  pass->bytes += bytes.size();
  co_return Result<void>();
}

kj::Promise<bool> BlobPut::cut() {
  KJ_REQUIRE(reference == nullptr, "a blob is cut once");
  auto cut = co_await around.disk.run([&](BlobDisk::Files&) { return pass->cutter.finish(); });
  nodes = kj::mv(pass->nodes);
  pass = kj::heap<Pass>(gear);
  reference = cut;
  auto known = co_await around.store.read(
      [content = cut.contentId()](Database& db) { return blobs::find(db, content); });
  KJ_IF_MAYBE(blob, known) isHere = BlobStore::isHere(*blob);
  co_return !isHere && cut.level > 0;
}

kj::Promise<Result<void>> BlobPut::beginSealing() {
  keys = around.circle.keysToWriteWith(namedBlobs());
  KJ_IF_MAYBE(given, keys) {
    auto content = ref().contentId();
    auto holder = std::make_shared<kj::Own<storage::BlobFiles::Writing>>();
    auto begun = co_await around.disk.run([&](BlobDisk::Files& files) -> Result<void> {
      auto refused = kj::runCatchingExceptions(
          [&]() { *holder = files.all().write((*given)->borrowed(), content, ref().top.length); });
      if (refused == nullptr) return {};
      if (KJ_ASSERT_NONNULL(refused).getType() == kj::Exception::Type::OVERLOADED)
        kj::throwFatalException(kj::mv(KJ_ASSERT_NONNULL(refused)));
      return no(Errc::BUSY, "that blob is just being put: wait until that is done");
    });
    if (!begun) co_return no(begun.error());
    writing = kj::mv(holder);
    co_return Result<void>();
  }
  co_return no(Errc::EPOCH_UNKNOWN, "this device holds no key to seal a blob with");
}

kj::Promise<Result<void>> BlobPut::finish() {
  auto cut = ref();
  auto content = cut.contentId();
  if (isHere) co_return Result<void>();
  blobs::Blob blob{.collection = namedBlobs(), .ref = cut};
  blob.usedMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  if (cut.level == 0) {
    co_await around.store.write([blob, bytes = kj::mv(small)](Database& db) mutable {
      KJ_IF_MAYBE(known, blobs::find(db, blob.ref.contentId())) {
        blob.references = known->references;
        blob.pinned = known->pinned;
      }
      blobs::putSmall(db, kj::mv(blob), bytes);
    });
    co_return Result<void>();
  }
  if (pass->bytes != cut.top.length || writing == nullptr) co_return no(CHANGED);
  auto same = co_await around.disk.run([&](BlobDisk::Files& files) {
    if (pass->cutter.finish() != cut) return false;
    (*writing)->commit();
    files.forget(content);
    return true;
  });
  writing = nullptr;
  if (!same) co_return no(CHANGED);
  auto& given = *KJ_ASSERT_NONNULL(keys);
  blob.epoch = given.epoch;
  blob.home = blobs::Home::FILE;
  blob.fileName = given.borrowed().fileName(content).cStr();
  co_await around.store.write([blob, nodes = kj::mv(nodes)](Database& db) mutable {
    auto content = blob.ref.contentId();
    KJ_IF_MAYBE(known, blobs::find(db, content)) {
      blob.references = known->references;
      blob.pinned = known->pinned;
    }
    blobs::put(db, blob);
    for (auto& [hash, encoded]: nodes) blobs::putNode(db, content, hash, encoded);
  });
  co_return Result<void>();
}

}  // namespace hearth::devices
