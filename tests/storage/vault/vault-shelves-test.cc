#include "storage/tables/blobs.h"
#include "storage/tables/vault-owed.h"
#include "storage/tables/vault-shelves.h"
#include "tests/storage/blob/luck.h"
#include "tests/storage/home.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

namespace hearth::storage {
namespace {

namespace shelves = vault_shelves;

using crypto::CollectionId;

template <typename T>
T idOf(uint64_t number) {
  auto bytes = randomBytes(T::SIZE, number);
  return T::from(bytes).value();
}

const shelves::Shelf SHELF{idOf<DeviceId>(1), {idOf<DeviceId>(2), idOf<CollectionId>(3)}};

ShelfChange::Put putOf(uint64_t number) {
  return {idOf<ContentId>(number), {idOf<BlobName>(number), 1'000 + number, idOf<Digest>(number)}};
}

// The root by its definition, of all items at once.
shelves::Rooted slowRoot(const std::map<BlobName, VaultItem>& items) {
  VaultBuckets buckets;
  for (size_t bucket = 0; bucket < VAULT_BUCKETS; ++bucket) {
    std::vector<VaultItem> in;
    for (auto& [name, item]: items)
      if (name.bytes[0] == bucket) in.push_back(item);
    buckets[bucket] = vaultBucket(in);
  }
  return {items.size(), vaultRoot(items.size(), buckets)};
}

TEST_CASE("the root of a shelf is that of its items, whatever was changed and asked before") {
  Home home;
  auto db = home.open();
  std::mt19937_64 luck(5);
  std::map<BlobName, VaultItem> items;
  for (int step = 0; step < 300; ++step) {
    std::vector<ShelfChange::Put> more;
    std::vector<BlobName> less;
    for (auto count = luck() % 4; count > 0; --count) more.push_back(putOf(luck() % 100));
    for (auto count = luck() % 3; count > 0; --count)
      if (!items.empty())
        less.push_back(
            std::next(items.begin(), static_cast<ptrdiff_t>(luck() % items.size()))->first);
    auto after = items;
    for (auto& [content, item]: more) after[item.name] = item;
    for (auto& name: less) after.erase(name);
    REQUIRE(shelves::root(*db, SHELF, more, less) == slowRoot(after));
    REQUIRE(shelves::root(*db, SHELF) == slowRoot(items));
    if (luck() % 2 == 0) continue;
    for (auto& [content, item]: more) shelves::put(*db, SHELF, content, item);
    for (auto& name: less) shelves::drop(*db, SHELF, name);
    items = after;
  }
  REQUIRE(items.size() > 20);
}

TEST_CASE("a root differs where one item has another size, hash or name, or is one too few") {
  Home home;
  auto db = home.open();
  shelves::put(*db, SHELF, {}, putOf(1).item);
  auto rooted = shelves::root(*db, SHELF);
  for (int what = 0; what < 3; ++what) {
    auto item = putOf(1).item;
    if (what == 0) ++item.bytes;
    if (what == 1) item.hash.bytes[31] ^= 1;
    if (what == 2) item.name.bytes[31] ^= 1;
    REQUIRE(slowRoot({{item.name, item}}) != rooted);
  }
  REQUIRE(slowRoot({}) != rooted);
}

TEST_CASE("what a writer says of a shelf is in the table, however often it is read") {
  Home home;
  auto db = home.open();
  auto& [vault, name] = SHELF;
  ShelfChange first{vault, name.collection, 2, idOf<Digest>(8), {putOf(1), putOf(2)}, {}};
  ShelfChange second{vault, name.collection, 2, idOf<Digest>(9), {putOf(3)}, {putOf(1).item.name}};
  for (int i = 0; i < 2; ++i)
    for (auto change: {&first, &second}) shelves::apply(*db, name.writer, *change);
  REQUIRE(shelves::said(*db, SHELF) == shelves::Rooted{2, idOf<Digest>(9)});
  REQUIRE(shelves::copiesOf(*db, idOf<ContentId>(1)).empty());
  auto copies = shelves::copiesOf(*db, idOf<ContentId>(3));
  REQUIRE(copies.size() == 1);
  REQUIRE(copies[0].shelf == SHELF);
  REQUIRE(copies[0].item == putOf(3).item);
  REQUIRE(shelves::usage(*db, vault).items == 2);
  REQUIRE(shelves::usage(*db, vault).bytes == 1'002 + 1'003);
  REQUIRE(shelves::usage(*db, idOf<DeviceId>(77)).items == 0);
}

TEST_CASE("whose a file is on a VAULT") {
  Home home;
  auto db = home.open();
  auto name = putOf(1).item.name;
  auto collection = SHELF.name.collection;
  auto whose = [&](uint64_t asker) {
    return shelves::whose(*db, DeviceId(), collection, idOf<DeviceId>(asker), name);
  };
  REQUIRE(whose(10) == vault::Whose::NOBODYS);
  shelves::put(*db, {DeviceId(), {idOf<DeviceId>(10), collection}}, {}, putOf(1).item);
  REQUIRE(whose(10) == vault::Whose::OWN);
  REQUIRE(whose(11) == vault::Whose::ANOTHERS);
  shelves::put(*db, {DeviceId(), {idOf<DeviceId>(11), collection}}, {}, putOf(1).item);
  REQUIRE(whose(10) == vault::Whose::OWN);
}

TEST_CASE("a shelf is listed in order of its names, a page at a time") {
  Home home;
  auto db = home.open();
  for (uint64_t i = 0; i < 25; ++i) shelves::put(*db, SHELF, idOf<ContentId>(i), putOf(i).item);
  std::vector<VaultItem> all;
  for (BlobName after;;) {
    auto page = shelves::list(*db, SHELF, after, 10);
    if (page.empty()) break;
    REQUIRE(page.size() <= 10);
    all.insert(all.end(), page.begin(), page.end());
    after = page.back().name;
  }
  REQUIRE(all.size() == 25);
  REQUIRE(std::ranges::is_sorted(all, {}, &VaultItem::name));
  REQUIRE(shelves::listed(*db, SHELF, all[4].name, all[9].name).size() == 5);
}

TEST_CASE("a blob that is here is owed to a VAULT until somebody has put it there") {
  Home home;
  auto db = home.open();
  auto vault = SHELF.vault;
  std::vector<BlobRef> refs;
  for (uint64_t i = 0; i < 5; ++i) {
    auto bytes = randomBytes(i * 100, i);
    BlobRef ref{0, {hashOfChunk(bytes), bytes.size()}};
    blobs::putSmall(*db, {.collection = SHELF.name.collection, .ref = ref}, bytes);
    refs.push_back(ref);
  }
  blobs::put(*db, {.collection = SHELF.name.collection, .ref = {0, {idOf<Digest>(6), 600}}});
  // One is empty, and one only known.
  auto owed = vault_owed::blobs(*db, vault, {}, 10);
  REQUIRE(owed.size() == 4);
  REQUIRE(vault_owed::blobs(*db, vault, owed[1].ref.contentId(), 10).size() == 2);
  REQUIRE(vault_owed::blobs(*db, vault, {}, 3).size() == 3);
  shelves::put(*db, SHELF, owed[0].ref.contentId(), putOf(1).item);
  REQUIRE(vault_owed::blobs(*db, vault, {}, 10).size() == 3);
  REQUIRE(vault_owed::blobs(*db, idOf<DeviceId>(50), {}, 10).size() == 4);
  REQUIRE(vault_owed::isHere(*db, refs[2].contentId()));
  REQUIRE(!vault_owed::isHere(*db, idOf<ContentId>(1)));
}

}  // namespace
}  // namespace hearth::storage
