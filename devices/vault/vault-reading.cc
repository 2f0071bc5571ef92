#include "devices/vault/vault-reading.h"

#include "storage/blob/cutter.h"
#include "storage/blob/padding.h"
#include "storage/tables/blob-parts.h"

#include <kj/debug.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace hearth::devices {

namespace blobs = storage::blobs;
namespace shelves = storage::vault_shelves;

using crypto::Buffer;
using storage::Database;

VaultReading::VaultReading(Surroundings aroundIn)
    : around(aroundIn),
      tasks(*this),
      running(run().eagerlyEvaluate(
          [](kj::Exception&& e) { KJ_LOG(ERROR, "nothing comes from VAULTs any more", e); })) {
  around.exchange.setReserve(static_cast<BlobExchange::Reserve&>(*this));
}

VaultReading::~VaultReading() noexcept(false) { around.exchange.setReserve(nullptr); }

void VaultReading::vaultUp(const DeviceId& vault, std::shared_ptr<VaultClient> client) {
  if (vaults.empty()) around.exchange.openReserve();
  vaults[vault] = kj::mv(client);
  shelvesChanged();
}

void VaultReading::shelvesChanged() {
  inVain.clear();
  news.ring();
}

void VaultReading::vaultDown(const DeviceId& vault) {
  if (vaults.erase(vault) > 0 && vaults.empty()) around.exchange.closeReserve();
}

kj::Maybe<Errc> VaultReading::whyNot(const ContentId& content) const {
  auto found = refused.find(content);
  if (found == refused.end()) return nullptr;
  return found->second;
}

void VaultReading::taskFailed(kj::Exception&& e) {
  KJ_LOG(WARNING, "a blob does not come from a VAULT", e.getDescription());
}

kj::Promise<void> VaultReading::run() {
  for (;;) {
    co_await letGoUnwanted();
    bool isAsked = !vaults.empty() && around.exchange.fetching() > 0;
    if (isAsked) beginSome();
    auto told = news.wait();
    if (isAsked || !ready.empty() || !halted.empty())
      told = told.exclusiveJoin(around.timer.afterDelay(isAsked ? LOOKS_EVERY : LETS_GO_EVERY));
    co_await told;
  }
}

// What is here for a fetch that is over.
kj::Promise<void> VaultReading::letGoUnwanted() {
  std::erase_if(refused, [&](auto& each) { return !around.exchange.isFetching(each.first); });
  std::erase_if(inVain, [&](auto& each) {
    return !around.exchange.isFetching(each.first) ||
        around.timer.now() - each.second >= AGAIN_AFTER;
  });
  std::vector<Shared> over;
  for (auto at = ready.begin(); at != ready.end();) {
    if (around.exchange.isFetching(at->first)) {
      ++at;
      continue;
    }
    readyBytes -= at->second->bytes;
    over.push_back(kj::mv(at->second));
    at = ready.erase(at);
  }
  for (auto& blob: over) co_await drop(blob);
  std::vector<kj::Own<VaultDownload>> unwanted;
  for (auto at = halted.begin(); at != halted.end();) {
    bool isFresh = around.timer.now() - at->second.since < HALTED_FOR;
    if (isFresh || around.exchange.isFetching(at->first)) {
      ++at;
      continue;
    }
    unwanted.push_back(kj::mv(at->second.download));
    at = halted.erase(at);
  }
  for (auto& download: unwanted) co_await shred(download->scratch());
}

kj::Promise<void> VaultReading::shred(std::string scratch) {
  if (!scratch.empty())
    co_await around.disk.run([&](BlobDisk::Files& files) { files.all().shred(scratch.c_str()); });
}

void VaultReading::beginSome() {
  for (auto& ref: around.exchange.stuck()) {
    auto content = ref.contentId();
    if (bringing.size() >= AT_ONCE_MAX || ready.size() >= READY_MAX) break;
    if (bringing.contains(content) || ready.contains(content) || inVain.contains(content)) continue;
    if (readyBytes > 0 && readyBytes + ref.top.length > READY_BYTES_MAX) continue;
    bringing.insert(content);
    readyBytes += ref.top.length;
    tasks.add(bring(ref));
  }
}

kj::Promise<void> VaultReading::bring(BlobRef ref) {
  auto content = ref.contentId();
  bool isHere = false;
  KJ_DEFER({
    bringing.erase(content);
    if (!isHere) readyBytes -= ref.top.length;
    news.ring();
  });
  auto copies = co_await around.store.read(
      [content](Database& db) { return shelves::copiesOf(db, content); });
  for (auto& copy: copies) {
    if (!vaults.contains(copy.shelf.vault)) continue;
    try {
      isHere = co_await bringFrom(copy, ref);
    } catch (const kj::Exception& e) {
      KJ_LOG(WARNING, "a blob does not come from a VAULT", e.getDescription());
    }
    if (isHere) break;
  }
  if (isHere) {
    around.exchange.reserveHas(content);
  } else {
    inVain.insert_or_assign(content, around.timer.now());
  }
}

void VaultReading::fault(
    const Copy& copy, const ContentId& content, Errc code, kj::StringPtr because) {
  refused[content] = code;
  around.faults.add(copy.shelf.vault,
      {code, because, copy.shelf.name.collection,
          storage::blobId(copy.shelf.name.collection, content)});
}

kj::Promise<bool> VaultReading::bringFrom(Copy copy, BlobRef ref) {
  auto content = ref.contentId();
  auto fetched = co_await fetch(copy, content);
  if (fetched == nullptr) co_return false;
  auto& download = *KJ_ASSERT_NONNULL(fetched);
  auto blob = std::make_shared<Ready>();
  blob->ref = ref;
  blob->collection = copy.shelf.name.collection;
  blob->scratch = download.scratch();
  blob->bytes = ref.top.length;
  bool isGood = false;
  kj::Maybe<kj::Exception> failed;
  try {
    isGood = co_await open(blob, copy, download.take());
  } catch (const kj::Exception& e) {
    failed = kj::cp(e);
  }
  if (isGood) {
    ready[content] = blob;
  } else {
    co_await drop(blob);
  }
  KJ_IF_MAYBE(e, failed) kj::throwFatalException(kj::mv(*e));
  co_return isGood;
}

// What there is of it already, or from its first byte on.
kj::Promise<kj::Own<VaultDownload>> VaultReading::downloadOf(Copy copy, ContentId content) {
  auto found = halted.find(content);
  if (found != halted.end() && found->second.download->of() == copy) {
    auto download = kj::mv(found->second.download);
    halted.erase(found);
    co_return kj::mv(download);
  }
  std::string scratch;
  if (copy.item.bytes > IN_MEMORY_MAX) scratch = kj::str("vault-", scratches++, ".scratch").cStr();
  co_return co_await VaultDownload::begin(
      {around.timer, around.clock, around.disk, around.gate}, kj::mv(copy), kj::mv(scratch));
}

// None where the VAULT does not give what it has taken: then it is named.
kj::Promise<kj::Maybe<kj::Own<VaultDownload>>> VaultReading::fetch(Copy copy, ContentId content) {
  auto client = vaults.at(copy.shelf.vault);
  auto download = co_await downloadOf(copy, content);
  kj::Maybe<kj::Exception> cut;
  auto outcome = VaultDownload::Outcome::WHOLE;
  try {
    outcome = co_await download->run(kj::mv(client));
  } catch (const kj::Exception& e) {
    cut = kj::cp(e);
  }
  KJ_IF_MAYBE(e, cut) {
    bool isLost = e->getType() == kj::Exception::Type::DISCONNECTED ||
        e->getType() == kj::Exception::Type::OVERLOADED;
    bool mayGoOn = isLost && !download->scratch().empty() && halted.size() < AT_ONCE_MAX &&
        !halted.contains(content);
    if (mayGoOn) {
      halted.emplace(content, Halted{kj::mv(download), around.timer.now()});
    } else {
      co_await shred(download->scratch());
    }
    kj::throwFatalException(kj::mv(*e));
  }
  switch (outcome) {
    case VaultDownload::Outcome::WHOLE:
      co_return kj::mv(download);
    case VaultDownload::Outcome::LACKS:
      co_await lacks(copy, content);
      break;
    case VaultDownload::Outcome::CUT:
      fault(copy, content, Errc::INTEGRITY_FAILED, "a VAULT has cut a file that it took");
      break;
    case VaultDownload::Outcome::CHANGED:
      fault(copy, content, Errc::INTEGRITY_FAILED, "a VAULT has changed a file that it took");
      break;
  }
  co_await shred(download->scratch());
  co_return nullptr;
}

// Unless its writer has taken it away.
kj::Promise<void> VaultReading::lacks(Copy copy, ContentId content) {
  co_await around.timer.afterDelay(NEWS_WITHIN);
  auto still = co_await around.store.read([copy](Database& db) {
    return shelves::find(db, copy.shelf, copy.item.name)
        .map([&](auto& item) { return item == copy.item; })
        .orDefault(false);
  });
  if (still) fault(copy, content, Errc::ROLLBACK, "a VAULT lacks a file that it took");
}

// What it is, by what is in it: its reference says so, whoever has sealed it.
kj::Promise<bool> VaultReading::open(Shared blob, Copy copy, kj::Own<const kj::File> file) {
  auto content = blob->ref.contentId();
  auto header = co_await around.disk.run([&](BlobDisk::Files&) {
    kj::byte start[storage::SealedHeader::ENCODED_BYTES];
    return storage::SealedHeader::parse(kj::arrayPtr(start, file->read(0, start)));
  });
  auto keys = header ? around.circle.keysOf(header->epoch, blob->collection) : nullptr;
  KJ_IF_MAYBE(with, keys) {
    auto paddedTo = storage::padded(blob->ref.top.length);
    auto reader = co_await around.disk.run([&](BlobDisk::Files&) {
      return storage::SealedReader::open(kj::mv(file), (*with)->borrowed(), content, paddedTo);
    });
    if (reader) {
      blob->reader = kj::mv(*reader);
      if (co_await isWhatItIsCalled(blob)) co_return true;
    }
  }
  fault(copy, content, Errc::INTEGRITY_FAILED, "a file on a VAULT does not hold its blob");
  co_return false;
}

kj::Promise<bool> VaultReading::isWhatItIsCalled(Shared blob) {
  auto& ref = blob->ref;
  auto key = around.circle.chunkKeyOf(blob->collection);
  KJ_IF_MAYBE(cuts, key) {
    storage::Gear gear(*cuts);
    std::vector<std::pair<Digest, Buffer>> nodes;
    storage::BlobCutter cutter(
        gear, [](const storage::Cut&) {},
        [&](const Digest& hash, crypto::Bytes encoded) {
          nodes.emplace_back(hash, kj::heapArray<kj::byte>(encoded));
        });
    auto buffer = kj::heapArray<kj::byte>(kj::min(ref.top.length, BlobStore::READ_BYTES_MAX));
    for (uint64_t at = 0; at < ref.top.length;) {
      auto some = buffer.slice(0, kj::min(buffer.size(), ref.top.length - at));
      bool isRead = co_await around.disk.run([&](BlobDisk::Files&) {
        auto read = blob->reader->read(at, some);
        if (read) cutter.add(some);
        return read.has_value();
      });
      if (!isRead) co_return false;
      at += some.size();
      if (nodes.size() >= NODES_AT_ONCE) co_await keepNodes(blob, std::exchange(nodes, {}));
    }
    auto found = co_await around.disk.run([&](BlobDisk::Files&) { return cutter.finish(); });
    if (found != ref) co_return false;
    if (!nodes.empty()) co_await keepNodes(blob, kj::mv(nodes));
    co_return true;
  }
  co_return false;
}

// The blob may be one that nobody has written down here.
kj::Promise<void> VaultReading::keepNodes(
    Shared blob, std::vector<std::pair<Digest, Buffer>> nodes) {
  auto madeRow = co_await around.store.write(
      [ref = blob->ref, collection = blob->collection, nodes = kj::mv(nodes)](Database& db) {
        auto content = ref.contentId();
        bool isNew = blobs::find(db, content) == nullptr;
        if (isNew) blobs::put(db, {.collection = collection, .ref = ref});
        for (auto& [hash, encoded]: nodes) blobs::putNode(db, content, hash, encoded);
        return isNew;
      });
  blob->madeRow |= madeRow;
}

kj::Promise<void> VaultReading::drop(Shared blob) {
  blob->reader = nullptr;
  co_await shred(blob->scratch);
  if (!blob->madeRow) co_return;
  co_await around.store.write([content = blob->ref.contentId()](Database& db) {
    KJ_IF_MAYBE(known, blobs::find(db, content)) {
      bool isIdle = known->home == blobs::Home::NOWHERE && known->references == 0 &&
          !known->pinned && known->fileName.empty();
      if (isIdle) blobs::forget(db, content);
    }
  });
}

// Answers

void VaultReading::ask(Buffer message) {
  auto parsed = storage::parseBlobMessage(message);
  KJ_ASSERT(parsed.has_value());  // this device has written it
  tasks.add(answer(kj::mv(std::get<storage::AskParts>(*parsed))));
}

kj::Promise<void> VaultReading::answer(storage::AskParts asked) {
  std::vector<std::pair<Shared, storage::AskedPart>> known;
  storage::LackParts lacks;
  for (auto& part: asked.parts) {
    auto found = ready.find(part.content);
    if (found == ready.end()) {
      lacks.tickets.push_back(part.ticket);
    } else {
      known.emplace_back(found->second, part);
    }
  }
  if (!lacks.tickets.empty()) around.exchange.reserveAnswers(encode(lacks));
  for (auto& [blob, part]: known) {
    auto found = co_await partOf(blob, part);
    KJ_IF_MAYBE(bytes, found) {
      around.exchange.reserveAnswers(encode(storage::GiveParts{{{part.ticket, *bytes}}}));
    } else {
      around.exchange.reserveAnswers(encode(storage::LackParts{{part.ticket}}));
    }
  }
}

kj::Promise<kj::Maybe<Buffer>> VaultReading::partOf(Shared blob, storage::AskedPart asked) {
  auto& ref = blob->ref;
  uint64_t length = ref.top.length;
  if (ref.level > 0) {
    auto found = co_await around.store.read([ref, asked](Database& db) {
      return blobs::TreeWalk(db).find(ref, asked.level, asked.offset);
    });
    if (found == nullptr) co_return nullptr;
    auto& there = KJ_ASSERT_NONNULL(found);
    if (asked.level > 0) co_return kj::mv(there.node);
    length = there.part.length;
  } else if (asked.level > 0 || asked.offset > 0) {
    co_return nullptr;
  }
  auto bytes = kj::heapArray<kj::byte>(length);
  bool isRead = co_await around.disk.run([&](BlobDisk::Files&) {
    return blob->reader.get() != nullptr && blob->reader->read(asked.offset, bytes).has_value();
  });
  if (!isRead) co_return nullptr;
  co_return kj::mv(bytes);
}

}  // namespace hearth::devices
