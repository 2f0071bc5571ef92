#include "devices/vault/vault-holdings.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <algorithm>
#include <set>

namespace hearth::devices {

namespace shelves = storage::vault_shelves;

using crypto::Buffer;
using storage::Database;
using storage::VaultItem;

namespace {

constexpr kj::StringPtr COMING = ".part"_kj;
constexpr size_t LUCK_BYTES = 8;

shelves::Shelf own(const storage::VaultShelfName& name) { return {DeviceId(), name}; }

// A sealed file's key is overwritten first: whoever has a copy of the disk made later does not open it.
void shredFile(const kj::Directory& directory, Entropy& entropy, kj::StringPtr name) {
  kj::Path path(kj::str(name));
  KJ_IF_MAYBE(file, directory.tryOpenFile(path, kj::WriteMode::MODIFY)) {
    kj::byte noise[storage::SealedHeader::WRAPPED_BYTES];
    entropy.fill(noise);
    (*file)->write(storage::SealedHeader::WRAPPED_AT, noise);
    (*file)->datasync();
    directory.remove(path);
  }
}

}  // namespace

// On the executor.
const kj::Directory& VaultHoldings::directory() {
  KJ_IF_MAYBE(there, opened) return **there;
  return *opened.emplace(around.home.openSubdir(
      kj::Path("vault"), kj::WriteMode::CREATE | kj::WriteMode::MODIFY | kj::WriteMode::PRIVATE));
}

kj::Promise<void> VaultHoldings::start(bool mayHaveForgotten) {
  auto known = co_await around.store.read([](Database& db) { return shelves::fileNames(db); });
  co_await around.files.execute([&]() {
    for (auto& name: directory().listNames()) {
      bool isHalf = name.endsWith(COMING);
      bool isStray = !known.contains(name.cStr()) && !mayHaveForgotten;
      if (isHalf || isStray) shredFile(directory(), around.entropy, name);
    }
  });
}

kj::Promise<Result<kj::Own<VaultHoldings::Coming>>> VaultHoldings::begin(
    ShelfName shelf, Name name, uint64_t bytes) {
  comingBytes += bytes;
  auto coming = kj::heap<Coming>(kj::Badge<VaultHoldings>(), *this, shelf, name, bytes);
  auto used = co_await usage();
  if (used.bytes + comingBytes > roomBytes)
    co_return no(Errc::QUOTA_EXCEEDED, "the VAULT has no room for it");
  co_return kj::mv(coming);
}

VaultHoldings::Coming::Coming(kj::Badge<VaultHoldings>, VaultHoldings& holdings,
    const ShelfName& shelf, const Name& name, uint64_t bytes)
    : holdings(holdings),
      shelf(shelf),
      name(name),
      bytes(bytes) {
  if (bytes <= ROW_BYTES_MAX) {
    small = kj::heapArray<kj::byte>(bytes);
  } else {
    kj::byte luck[LUCK_BYTES];
    holdings.around.entropy.fill(luck);
    fileName = kj::str(kj::encodeHex(name.asBytes()), ".", kj::encodeHex(luck)).cStr();
  }
}

VaultHoldings::Coming::~Coming() noexcept(false) {
  holdings.comingBytes -= bytes;
  if (!isKept && file.get() != nullptr) {
    auto path = kj::Path(kj::str(fileName.c_str(), COMING));
    kj::UnwindDetector unwinding;
    unwinding.catchExceptionsIfUnwinding([&]() { holdings.directory().tryRemove(path); });
  }
}

kj::Promise<void> VaultHoldings::Coming::add(Buffer more) {
  KJ_REQUIRE(more.size() <= missing());
  if (fileName.empty()) {
    std::ranges::copy(more, small.begin() + arrived);
    hash.update(more);
  } else {
    co_await holdings.around.files.execute([&]() {
      if (file.get() == nullptr)
        file = holdings.directory().openFile(kj::Path(kj::str(fileName.c_str(), COMING)),
            kj::WriteMode::CREATE | kj::WriteMode::PRIVATE);
      file->write(arrived, more);
      hash.update(more);
    });
  }
  arrived += more.size();
}

kj::Promise<void> VaultHoldings::Coming::keep() {
  KJ_REQUIRE(missing() == 0);
  if (!fileName.empty()) {
    co_await holdings.around.files.execute([&]() {
      auto& directory = holdings.directory();
      file->sync();
      directory.transfer(kj::Path(kj::str(fileName.c_str())), kj::WriteMode::CREATE, directory,
          kj::Path(kj::str(fileName.c_str(), COMING)), kj::TransferMode::MOVE);
      isKept = true;
      directory.sync();
    });
  }
  VaultItem item{name, bytes, hash.finish()};
  auto before = co_await holdings.around.store.write(
      [shelf = shelf, item, fileName = fileName, bytes = kj::mv(small)](Database& db) {
        auto number = shelves::put(db, own(shelf), {}, item);
        auto before = shelves::fileOf(db, number, item.name);
        shelves::keepHeld(db, number, item.name, fileName.c_str(), bytes);
        return before;
      });
  isKept = true;
  holdings.claims.erase({shelf.collection, name});
  if (!before.empty()) co_await holdings.shred({before});
}

kj::Promise<void> VaultHoldings::drop(ShelfName shelf, std::vector<Name> names) {
  auto gone = co_await around.store.write([shelf, names = kj::mv(names)](Database& db) {
    std::vector<std::string> files;
    KJ_IF_MAYBE(number, shelves::numberOf(db, own(shelf))) {
      for (auto& name: names) {
        auto file = shelves::fileOf(db, *number, name);
        if (!file.empty()) files.push_back(kj::mv(file));
        shelves::drop(db, own(shelf), name);
        shelves::dropHeld(db, *number, name);
      }
    }
    return files;
  });
  if (!gone.empty()) co_await shred(kj::mv(gone));
}

kj::Promise<void> VaultHoldings::shred(std::vector<std::string> fileNames) {
  co_await around.files.execute([&]() {
    for (auto& name: fileNames) shredFile(directory(), around.entropy, name.c_str());
    directory().sync();
  });
}

kj::Promise<kj::Maybe<Buffer>> VaultHoldings::read(
    ShelfName shelf, Name name, uint64_t offset, size_t most) {
  auto held = co_await around.store.read([shelf, name](Database& db) -> kj::Maybe<shelves::Held> {
    KJ_IF_MAYBE(number, shelves::numberOf(db, own(shelf)))
      return shelves::heldOf(db, *number, name);
    return nullptr;
  });
  KJ_IF_MAYBE(there, held) {
    if (there->file.empty()) {
      auto begin = kj::min(offset, there->bytes.size());
      co_return kj::heapArray<kj::byte>(
          there->bytes.slice(begin, begin + kj::min(most, there->bytes.size() - begin)));
    }
    kj::Maybe<Buffer> found;
    co_await around.files.execute([&]() {
      KJ_IF_MAYBE(file, directory().tryOpenFile(kj::Path(kj::str(there->file.c_str())))) {
        auto bytes = kj::heapArray<kj::byte>(most);
        auto got = (*file)->read(offset, bytes);
        found = kj::heapArray<kj::byte>(bytes.slice(0, got));
      }
    });
    co_return kj::mv(found);
  }
  co_return nullptr;
}

kj::Promise<std::vector<storage::vault::Whose>> VaultHoldings::whose(
    crypto::CollectionId collection, DeviceId writer, std::vector<Name> names) {
  using Whose = storage::vault::Whose;
  auto found = co_await around.store.read([collection, writer, names](Database& db) {
    std::vector<Whose> found;
    for (auto& name: names)
      found.push_back(shelves::whose(db, DeviceId(), collection, writer, name));
    return found;
  });
  for (size_t i = 0; i < names.size(); ++i) {
    std::pair key(collection, names[i]);
    if (found[i] != Whose::NOBODYS) {
      claims.erase(key);
    } else if (auto claim = claims.find(key); claim != claims.end()) {
      if (claim->second != writer) found[i] = Whose::ANOTHERS;
    } else if (claims.size() < CLAIMS_MAX) {
      claims.emplace(key, writer);
    }
  }
  co_return kj::mv(found);
}

kj::Promise<shelves::Rooted> VaultHoldings::root(ShelfName shelf) {
  return around.store.write([shelf](Database& db) { return shelves::root(db, own(shelf)); });
}

kj::Promise<std::vector<VaultItem>> VaultHoldings::list(ShelfName shelf, Name after, size_t most) {
  return around.store.read(
      [shelf, after, most](Database& db) { return shelves::list(db, own(shelf), after, most); });
}

kj::Promise<shelves::Usage> VaultHoldings::usage() {
  return around.store.read([](Database& db) { return shelves::usage(db, DeviceId()); });
}

}  // namespace hearth::devices
