#include "devices/folders/incoming.h"

#include "core/base/flat.h"
#include "storage/tables/blobs.h"
#include "storage/tables/chunk-changes.h"

#include <kj/debug.h>

#include <optional>

namespace hearth::devices {

namespace {

namespace blobs = storage::blobs;
namespace places = storage::chunk_places;

using crypto::Buffer;
using storage::Database;
using storage::FolderPath;

constexpr size_t PLACES_MAX = 4;  // of one chunk that are looked at

crypto::Buffer sourceName(int64_t folder, const FolderPath& path) {
  FlatWriter out;
  out.i64(folder).bytes(kj::arrayPtr(path.str().data(), path.str().size()).asBytes());
  return out.finish();
}

kj::Maybe<FolderPath> pathOf(int64_t folder, crypto::Bytes name) {
  FlatReader in(name);
  if (in.i64() != folder || !in.good()) return nullptr;
  auto text = in.remaining();
  auto path = FolderPath::parse({reinterpret_cast<const char*>(text.begin()), text.size()});
  if (!path) return nullptr;
  return kj::mv(*path);
}

// Small files are found by their own rows.
kj::Maybe<BlobRef> largeIn(const storage::PathState& state) {
  if (state.kind != storage::PathState::Kind::FILE || state.content.level == 0) return nullptr;
  return state.content;
}

// A chunk that may lie in a file of the folder.
struct Candidate {
  FolderPath path;
  uint64_t offset;
};

// What of the parts that are asked for the database knows.
struct Known {
  std::optional<Buffer> node;
  std::vector<Candidate> candidates;  // of a chunk
};

Known knownOf(Database& db, int64_t folder, const WantedPart& part) {
  Known known;
  if (part.level > 0) {
    KJ_IF_MAYBE(encoded, blobs::node(db, part.part.hash)) known.node = kj::mv(*encoded);
    return known;
  }
  // Of a large file it is a chunk; that one is a small file, too, is rare, and asking for each costs more.
  if (part.content == BlobRef{0, part.part}.contentId()) {
    for (auto& copy: storage::folders::copiesOf(db, part.content, PLACES_MAX)) {
      if (copy.folder == folder) known.candidates.push_back({copy.local.path, 0});
    }
  }
  for (auto& place: places::find(db, part.part, PLACES_MAX)) {
    if (place.source.kind != places::Source::Kind::OWNERS) continue;
    KJ_IF_MAYBE(path, pathOf(folder, place.source.name))
      known.candidates.push_back({kj::mv(*path), place.offset});
  }
  return known;
}

bool isChunk(const storage::Child& chunk, crypto::Bytes bytes) {
  return bytes.size() == chunk.length && storage::hashOfChunk(bytes) == chunk.hash;
}

// Files that are read again and again for a batch stay open.
class Sources {
 public:
  explicit Sources(storage::FileTree& tree): tree(tree) {}

  bool read(const Candidate& from, kj::ArrayPtr<kj::byte> out) {
    auto [file, isNew] = open.try_emplace(from.path);
    if (isNew) {
      auto opened = tree.open(from.path);
      if (opened) file->second = kj::mv(*opened);
    }
    if (file->second.get() == nullptr) return false;
    auto bytes = file->second->read(from.offset, out);
    return bytes && *bytes == out.size();
  }

 private:
  storage::FileTree& tree;
  std::map<FolderPath, kj::Own<storage::FileTree::Reading>> open;
};

[[noreturn]] void failed(storage::TreeError error) {
  auto type = error == storage::TreeError::FULL ? kj::Exception::Type::OVERLOADED
                                                : kj::Exception::Type::FAILED;
  kj::throwFatalException(
      kj::Exception(type, __FILE__, __LINE__, kj::str(storage::describe(error))));
}

}  // namespace

void placeChunks(Database& db, int64_t folder, const storage::folders::Local& local) {
  KJ_IF_MAYBE(ref, largeIn(local.state)) {
    auto name = sourceName(folder, local.path);
    kj::Maybe<BlobRef> before;
    KJ_IF_MAYBE(there, storage::folders::find(db, folder, local.path))
      before = largeIn(there->state);
    KJ_IF_MAYBE(source, places::sourceOf(db, places::Source::Kind::OWNERS, name)) {
      places::change(db, *source, before, *ref);
    } else {
      auto made = places::addSource(db, {places::Source::Kind::OWNERS, kj::mv(name), nullptr});
      places::change(db, made, nullptr, *ref);
    }
  } else {
    forgetChunks(db, folder, local.path);
  }
}

void forgetChunks(Database& db, int64_t folder, const FolderPath& path) {
  places::dropSource(db, places::Source::Kind::OWNERS, sourceName(folder, path));
}

std::string FolderIncoming::stagedName(const BlobRef& ref) {
  return kj::encodeHex(ref.contentId().asBytes()).cStr();
}

kj::Promise<Result<FolderIncoming::Arrived>> FolderIncoming::fetch(BlobRef ref, uint32_t need) {
  auto content = ref.contentId();
  KJ_REQUIRE(!wanted.contains(content), "a file is fetched once at a time");
  auto want = std::make_shared<Wanted>();
  want->ref = ref;
  wanted[content] = want;
  KJ_DEFER(wanted.erase(content));
  if (ref.top.length == 0) co_return Arrived{ref, {}};
  if (ref.level > 0) {
    co_await store.write([ref, content, collection = collection](Database& db) {
      if (blobs::find(db, content) != nullptr) return;
      blobs::put(db, {.collection = collection, .ref = ref, .home = blobs::Home::OWNERS});
      blobs::refer(db, content, 1);
    });
    auto staged = co_await tree.run([name = stagedName(ref), &want](storage::FileTree& files) {
      auto staged = files.stage(name);
      kj::byte any[1];
      want->wasBegun = staged && (*staged)->read(0, any).value_or(1) > 0;
      return staged;
    });
    if (!staged) failed(staged.error());
    want->staged = kj::mv(*staged);
  }
  auto done = co_await exchange.fetch(ref, {.need = need}, *this);
  if (!done) co_return no(done.error());
  if (want->staged.get() != nullptr) {
    auto flushed = co_await tree.run([&want](storage::FileTree&) { return want->staged->flush(); });
    if (!flushed) failed(flushed.error());
  }
  co_return Arrived{ref, kj::mv(want->small)};
}

kj::Promise<BlobTarget::Looked> FolderIncoming::look(std::vector<WantedPart> parts) {
  auto known = co_await store.read([folder = folder, parts](Database& db) {
    std::vector<Known> known;
    for (auto& part: parts) known.push_back(knownOf(db, folder, part));
    return known;
  });
  Looked answers(parts.size());
  std::vector<Shared> wants;
  bool asksDisk = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    auto found = wanted.find(parts[i].content);
    wants.push_back(found == wanted.end() ? Shared() : found->second);
    asksDisk |= wants[i] && (wants[i]->staged.get() != nullptr || !known[i].candidates.empty());
    kj::Maybe<Buffer> node;
    if (known[i].node) node = kj::mv(*known[i].node);
    answers.add(kj::mv(node));
  }
  if (!asksDisk) co_return kj::mv(answers);
  auto error = co_await tree.run([&](storage::FileTree& files) -> kj::Maybe<storage::TreeError> {
    Sources sources(files);
    for (size_t i = 0; i < parts.size(); ++i) {
      auto& part = parts[i];
      if (part.level > 0 || !wants[i]) continue;
      auto bytes = kj::heapArray<kj::byte>(part.part.length);
      auto* staged = wants[i]->staged.get();
      if (staged != nullptr && wants[i]->wasBegun) {
        auto before = staged->read(part.offset, bytes);
        if (before && *before == bytes.size() && isChunk(part.part, bytes)) {
          answers[i] = Buffer();
          continue;
        }
      }
      for (auto& candidate: known[i].candidates) {
        if (!sources.read(candidate, bytes) || !isChunk(part.part, bytes)) continue;
        if (staged != nullptr) {
          if (auto written = staged->write(part.offset, bytes); !written) return written.error();
        } else {
          wants[i]->small = kj::mv(bytes);
        }
        answers[i] = Buffer();
        break;
      }
    }
    return nullptr;
  });
  KJ_IF_MAYBE(why, error) failed(*why);
  co_return kj::mv(answers);
}

kj::Promise<void> FolderIncoming::keep(std::vector<BlobTarget::Arrived> parts) {
  std::vector<std::pair<Shared, const BlobTarget::Arrived*>> large;
  std::vector<std::tuple<ContentId, Digest, Buffer>> nodes;
  for (auto& arrived: parts) {
    received += arrived.bytes.size();
    auto found = wanted.find(arrived.part.content);
    if (found == wanted.end()) continue;
    if (arrived.part.level > 0) {
      nodes.emplace_back(arrived.part.content, arrived.part.part.hash, kj::mv(arrived.bytes));
    } else if (found->second->ref.level > 0) {
      large.emplace_back(found->second, &arrived);
    } else {
      found->second->small = kj::mv(arrived.bytes);
    }
  }
  if (!nodes.empty()) {
    co_await store.write([nodes = kj::mv(nodes)](Database& db) {
      for (auto& [content, hash, encoded]: nodes) blobs::putNode(db, content, hash, encoded);
    });
  }
  if (large.empty()) co_return;
  auto error = co_await tree.run([&](storage::FileTree&) -> kj::Maybe<storage::TreeError> {
    for (auto& [want, arrived]: large) {
      auto written = want->staged->write(arrived->part.offset, arrived->bytes);
      if (!written) return written.error();
    }
    return nullptr;
  });
  KJ_IF_MAYBE(why, error) failed(*why);
}

}  // namespace hearth::devices
