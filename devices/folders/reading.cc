#include "devices/folders/reading.h"

#include "devices/data/blob-range.h"
#include "storage/tables/blob-parts.h"

#include <kj/debug.h>

namespace hearth::devices {

namespace {

namespace folders = storage::folders;
namespace versions = storage::folder_versions;

using crypto::Buffer;
using storage::Database;
using storage::FileTree;
using Kind = storage::PathState::Kind;

// A range whose nodes may be here already: of what was here once they are.
class RangeWithNodes final: public BlobTarget {
 public:
  RangeWithNodes(storage::Store& store, uint64_t offset, size_t bytes)
      : store(store),
        range(offset, bytes) {}

  Buffer take() { return range.take(); }

  kj::Promise<Looked> look(std::vector<WantedPart> parts) override {
    return store.read([parts = kj::mv(parts)](Database& db) {
      Looked answers(parts.size());
      for (auto& part: parts) {
        kj::Maybe<Buffer> node;
        if (part.level > 0) node = storage::blobs::node(db, part.part.hash);
        answers.add(kj::mv(node));
      }
      return answers;
    });
  }
  kj::Promise<void> keep(std::vector<Arrived> parts) override { return range.keep(kj::mv(parts)); }

 private:
  storage::Store& store;
  BlobRange range;
};

}  // namespace

kj::Promise<std::expected<Buffer, FolderReading::Failure>> FolderReading::read(
    storage::FolderPath path, BlobRef ref, uint64_t offset, uint64_t bytes) {
  struct Known {
    kj::Maybe<versions::Version> shown;
    kj::Maybe<folders::Local> local;
  };
  auto known = co_await around.store.read([folder = folder.number, path](Database& db) {
    return Known{versions::shown(db, folder, path), folders::find(db, folder, path)};
  });
  bool isFile = false, isIt = false, isHere = false;
  KJ_IF_MAYBE(version, known.shown) {
    isFile = version->state.kind == Kind::FILE;
    isIt = isFile && version->state.content == ref;
  }
  KJ_IF_MAYBE(local, known.local) {
    isHere = local->state.kind == Kind::FILE && local->state.content == ref;
  }
  if (!isFile) co_return std::unexpected(Failure::MISSING);
  if (!isIt) co_return std::unexpected(Failure::CHANGED);
  if (offset >= ref.top.length) co_return Buffer();
  auto size = static_cast<size_t>(kj::min(kj::min(bytes, BYTES_MAX), ref.top.length - offset));
  if (isHere) {
    auto here = co_await tree.run([&](FileTree& files) -> kj::Maybe<Buffer> {
      auto file = files.open(path);
      auto buffer = kj::heapArray<kj::byte>(size);
      auto read = file ? (*file)->read(offset, buffer) : std::unexpected(file.error());
      if (!read || *read != size) return nullptr;
      return kj::mv(buffer);
    });
    KJ_IF_MAYBE(there, here) co_return kj::mv(*there);
  }
  if (reads >= AT_ONCE_MAX) co_return std::unexpected(Failure::TIMED_OUT);
  ++reads;
  KJ_DEFER(--reads);
  co_return co_await fetch(ref, offset, size);
}

// Resolves when nobody has had it for a while.
kj::Promise<void> FolderReading::seeItStuck(ContentId content) {
  for (auto since = around.timer.now();;) {
    co_await around.timer.afterDelay(LOOKED_EVERY);
    if (!around.exchange.isStuck(content)) since = around.timer.now();
    if (around.timer.now() - since >= STUCK_AFTER) co_return;
  }
}

kj::Promise<std::expected<Buffer, FolderReading::Failure>> FolderReading::fetch(
    BlobRef ref, uint64_t offset, size_t bytes) {
  using Fetched = std::expected<Buffer, Failure>;
  // Whoever reads is told so at once.
  if (around.exchange.whyResting() != nullptr) return Fetched(std::unexpected(Failure::NOWHERE));
  auto target = kj::heap<RangeWithNodes>(around.store, offset, bytes);
  auto& range = *target;
  auto fetched =
      around.exchange.fetch(ref, {.need = 0, .begin = offset, .end = offset + bytes}, range)
          .then(
              [&range](Result<void> done) -> Fetched {
                if (!done) return std::unexpected(Failure::FAILED);
                return range.take();
              },
              [](kj::Exception&&) -> Fetched { return std::unexpected(Failure::FAILED); })
          .attach(kj::mv(target));
  auto late = around.timer.afterDelay(PATIENCE).then(
      []() -> Fetched { return std::unexpected(Failure::TIMED_OUT); });
  auto stuck = seeItStuck(ref.contentId()).then([]() -> Fetched {
    return std::unexpected(Failure::NOWHERE);
  });
  return fetched.exclusiveJoin(kj::mv(late)).exclusiveJoin(kj::mv(stuck));
}

}  // namespace hearth::devices
