#include "devices/data/blob-keeping.h"

#include <kj/debug.h>

#include <set>
#include <utility>

namespace hearth::devices {

namespace blobs = storage::blobs;

using crypto::Buffer;
using storage::Database;

namespace {

using Nodes = std::vector<std::tuple<ContentId, Digest, Buffer>>;

void putAll(Database& db, const Nodes& nodes) {
  for (auto& [content, hash, encoded]: nodes) blobs::putNode(db, content, hash, encoded);
}

// What is known of the blob now, or nothing but what it is.
blobs::Blob knownOr(Database& db, const BlobRef& ref) {
  KJ_IF_MAYBE(known, blobs::find(db, ref.contentId())) return kj::mv(*known);
  return {.collection = namedBlobs(), .ref = ref};
}

}  // namespace

kj::Maybe<uint64_t> BlobKeeping::received(const ContentId& content) const {
  auto found = incoming.find(content);
  if (found == incoming.end()) return nullptr;
  return found->second->arrived;
}

kj::Promise<Result<void>> BlobKeeping::fetch(BlobRef ref, uint32_t need) {
  auto content = ref.contentId();
  KJ_REQUIRE(!incoming.contains(content), "a blob is fetched once at a time");
  auto in = std::make_shared<Incoming>();
  in->ref = ref;
  incoming[content] = in;
  KJ_DEFER(incoming.erase(content));
  auto known = co_await around.store.read([ref](Database& db) { return knownOr(db, ref); });
  if (BlobStore::isHere(known)) co_return Result<void>();
  if (ref.level > 0) {
    if (auto begun = co_await begin(in, kj::mv(known)); !begun) co_return no(begun.error());
  }
  auto fetched = co_await fetching.fetch(ref, {.need = need}, *this);
  if (!fetched) co_return no(fetched.error());
  if (ref.level > 0) co_await finish(in);
  if (ref.top.length == 0)
    co_await around.store.write(
        [ref](Database& db) { blobs::putSmall(db, knownOr(db, ref), nullptr); });
  co_return Result<void>();
}

// The file is one of the epoch in which it was begun.
kj::Promise<Result<void>> BlobKeeping::begin(Shared in, blobs::Blob known) {
  auto content = in->ref.contentId();
  auto keys = known.fileName.empty() ? kj::Maybe<kj::Own<OwnedBlobKeys>>(nullptr)
                                     : around.circle.keysOf(known.epoch, known.collection);
  if (keys == nullptr) keys = around.circle.keysToWriteWith(known.collection);
  KJ_IF_MAYBE(given, keys) {
    in->keys = kj::mv(*given);
  } else {
    co_return no(Errc::EPOCH_UNKNOWN, "this device holds no key to seal a blob with");
  }
  auto name = in->keys->borrowed().fileName(content);
  std::string half = storage::BlobFiles::halfName(name).cStr();
  auto epoch = in->keys->epoch;
  co_await around.store.write([half, epoch, ref = in->ref](Database& db) {
    auto blob = knownOr(db, ref);
    blob.epoch = epoch;
    blob.fileName = half;
    blobs::put(db, blob);
  });
  if (known.fileName != half) co_return Result<void>();
  co_await around.disk.run([in](BlobDisk::Files& files) {
    open(*in, files);
    in->sealed = in->writing->written();
  });
  in->arrived = in->sealed;
  co_return Result<void>();
}

// On the executor. What nothing has come of has no file.
void BlobKeeping::open(Incoming& in, BlobDisk::Files& files) {
  in.writing = files.all().receive(in.keys->borrowed(), in.ref.contentId(), in.ref.top.length);
}

// A node that another blob has is this one's from now on as well.
kj::Promise<BlobTarget::Looked> BlobKeeping::look(std::vector<WantedPart> parts) {
  Looked answers(parts.size());
  std::vector<std::pair<ContentId, Digest>> nodes;
  for (auto& part: parts) {
    auto found = incoming.find(part.content);
    bool isSealed = found != incoming.end() && part.level == 0 &&
        part.offset + part.part.length <= found->second->sealed && found->second->sealed > 0;
    answers.add(isSealed ? kj::Maybe<Buffer>(Buffer()) : nullptr);
    if (part.level > 0) nodes.emplace_back(part.content, part.part.hash);
  }
  if (nodes.empty()) co_return kj::mv(answers);
  auto found = co_await around.store.read([nodes](Database& db) {
    Nodes here;
    for (auto& [content, hash]: nodes) {
      KJ_IF_MAYBE(encoded, blobs::node(db, hash))
        here.emplace_back(content, hash, kj::mv(*encoded));
    }
    return here;
  });
  if (found.empty()) co_return kj::mv(answers);
  auto kept = co_await around.store.write([found = kj::mv(found)](Database& db) mutable {
    putAll(db, found);
    return kj::mv(found);
  });
  std::map<Digest, Buffer*> byHash;
  for (auto& [content, hash, encoded]: kept) byHash[hash] = &encoded;
  for (size_t i = 0; i < parts.size(); ++i) {
    auto here = byHash.find(parts[i].part.hash);
    if (parts[i].level > 0 && here != byHash.end())
      answers[i] = kj::heapArray<kj::byte>(here->second->asPtr());
  }
  co_return kj::mv(answers);
}

// What follows on what is sealed. After a restart that may end within a chunk.
std::vector<Buffer> BlobKeeping::nextOf(Incoming& in) {
  std::vector<Buffer> next;
  for (auto at = in.ahead.begin(); at != in.ahead.end() && at->first <= in.sealed;
      at = in.ahead.erase(at)) {
    auto& bytes = at->second;
    auto known = in.sealed - at->first;
    if (known >= bytes.size()) continue;
    in.sealed += bytes.size() - known;
    next.push_back(
        known == 0 ? kj::mv(bytes) : kj::heapArray<kj::byte>(bytes.slice(known, bytes.size())));
  }
  return next;
}

kj::Promise<void> BlobKeeping::keep(std::vector<Arrived> parts) {
  std::vector<std::pair<BlobRef, Buffer>> small;
  Nodes nodes;
  std::set<Shared> grown;
  for (auto& [part, bytes]: parts) {
    auto found = incoming.find(part.content);
    if (found == incoming.end()) continue;
    auto& in = *found->second;
    if (part.level == 0) in.arrived += bytes.size();
    if (in.ref.level == 0) {
      small.emplace_back(in.ref, kj::mv(bytes));
    } else if (part.level == 0) {
      in.ahead[part.offset] = kj::mv(bytes);
      grown.insert(found->second);
    } else {
      in.nodeBytes += bytes.size();
      in.nodes.emplace_back(part.part.hash, kj::mv(bytes));
      if (in.nodeBytes < NODE_BYTES_MAX) continue;
      for (auto& [hash, encoded]: std::exchange(in.nodes, {}))
        nodes.emplace_back(part.content, hash, kj::mv(encoded));
      in.nodeBytes = 0;
    }
  }
  std::vector<std::pair<Shared, std::vector<Buffer>>> chunks;
  for (auto& in: grown) {
    auto next = nextOf(*in);
    if (!next.empty()) chunks.emplace_back(in, kj::mv(next));
  }
  if (!chunks.empty()) co_await seal(kj::mv(chunks));
  if (small.empty() && nodes.empty()) co_return;
  co_await around.store.write([small = kj::mv(small), nodes = kj::mv(nodes)](Database& db) {
    for (auto& [ref, bytes]: small) blobs::putSmall(db, knownOr(db, ref), bytes);
    putAll(db, nodes);
  });
}

kj::Promise<void> BlobKeeping::seal(std::vector<std::pair<Shared, std::vector<Buffer>>> chunks) {
  return around.disk.run([chunks = kj::mv(chunks)](BlobDisk::Files& files) {
    for (auto& [in, buffers]: chunks) {
      if (in->writing.get() == nullptr) {
        auto name = in->keys->borrowed().fileName(in->ref.contentId());
        files.all().shred(storage::BlobFiles::halfName(name));  // of an earlier time, perhaps
        open(*in, files);
      }
      for (auto& bytes: buffers) in->writing->add(bytes);
    }
  });
}

kj::Promise<void> BlobKeeping::finish(Shared in) {
  auto content = in->ref.contentId();
  KJ_ASSERT(in->sealed == in->ref.top.length, "a blob that has come is whole", in->sealed);
  co_await around.disk.run([in](BlobDisk::Files& files) {
    in->writing->commit();
    in->writing = nullptr;
    files.forget(in->ref.contentId());
  });
  std::string name = in->keys->borrowed().fileName(content).cStr();
  auto nowMs = (around.clock.now() - kj::UNIX_EPOCH) / kj::MILLISECONDS;
  co_await around.store.write([in, name, nowMs](Database& db) {
    auto blob = knownOr(db, in->ref);
    blob.home = blobs::Home::FILE;
    blob.fileName = name;
    blob.epoch = in->keys->epoch;
    blob.usedMs = nowMs;
    blobs::put(db, blob);
    for (auto& [hash, encoded]: in->nodes) blobs::putNode(db, in->ref.contentId(), hash, encoded);
  });
}

}  // namespace hearth::devices
