#include "storage/tables/blobs.h"
#include "storage/tables/chunk-places.h"
#include "tests/storage/blob/luck.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {
namespace {

using blobs::Blob;
using crypto::Bytes;
using Place = blobs::Home;
using Kind = chunk_places::Source::Kind;

// A blob of one chunk, whose bytes nobody has.
Blob blobOf(kj::byte number, uint64_t bytes = 1'000, Place home = Place::FILE) {
  Blob blob;
  memset(blob.collection.bytes, 5, crypto::CollectionId::SIZE);
  memset(blob.epoch.bytes, 6, EpochId::SIZE);
  blob.ref = {0, {hashOfChunk(kj::arrayPtr(&number, 1)), bytes}};
  blob.home = home;
  blob.fileName = home == Place::FILE ? "file-" + std::to_string(number) : "";
  return blob;
}

ContentId contentOf(kj::byte number) { return blobOf(number).ref.contentId(); }

Blob known(Database& db, const ContentId& content) {
  KJ_IF_MAYBE(blob, blobs::find(db, content)) return *blob;
  KJ_FAIL_REQUIRE("a blob that is not known");
}

Blob smallBlob(Bytes bytes) {
  auto blob = blobOf(0, bytes.size());
  blob.ref.top.hash = hashOfChunk(bytes);
  blob.fileName = "";
  return blob;
}

TEST_CASE("what is known of a blob is there after reopening") {
  Home home;
  auto blob = blobOf(1);
  blob.references = 3;
  blob.pinned = true;
  blob.elsewhere = 2;
  blob.usedMs = 77;
  blobs::put(*home.open(), blob);
  auto db = home.open();
  REQUIRE(known(*db, contentOf(1)) == blob);
  REQUIRE(blobs::find(*db, contentOf(2)) == nullptr);
}

TEST_CASE("a small blob is a row that reads as it was written") {
  Home home;
  auto bytes = randomBytes(4'096, 1);
  auto blob = smallBlob(bytes);
  blobs::putSmall(*home.open(), blob, bytes);
  auto db = home.open();
  auto read = known(*db, blob.ref.contentId());
  REQUIRE(read.home == Place::ROW);
  REQUIRE(blobs::getSmall(*db, read).value() == bytes);
}

TEST_CASE("T31: a small blob whose row is missing or has other bytes is refused and named") {
  Home home;
  auto db = home.open();
  auto bytes = randomBytes(4'096, 1);
  auto blob = smallBlob(bytes);
  blobs::putSmall(*db, blob, bytes);
  bytes[7] ^= 1;
  db->run("UPDATE blob_bytes SET bytes = ?1", bytes.asPtr());
  auto fault = blobs::getSmall(*db, blob).error();
  REQUIRE(fault.code == Errc::INTEGRITY_FAILED);
  REQUIRE(fault.item == blobId(blob.collection, blob.ref.contentId()));
  db->run("DELETE FROM blob_bytes");
  REQUIRE(blobs::getSmall(*db, blob).error().because == "a row that is missing"_kj);
}

TEST_CASE("references are counted, and none is taken back that was not made") {
  Home home;
  auto db = home.open();
  blobs::put(*db, blobOf(1));
  blobs::refer(*db, contentOf(1), 2);
  blobs::refer(*db, contentOf(1), -1);
  REQUIRE(known(*db, contentOf(1)).references == 1);
  REQUIRE_THROWS(blobs::refer(*db, contentOf(1), -2));
  REQUIRE_THROWS(blobs::forget(*db, contentOf(1)));
  blobs::refer(*db, contentOf(1), -1);
  blobs::forget(*db, contentOf(1));
  REQUIRE(blobs::find(*db, contentOf(1)) == nullptr);
}

TEST_CASE("what nothing refers to and nobody has pinned is found") {
  Home home;
  auto db = home.open();
  for (kj::byte number: {1, 2, 3}) blobs::put(*db, blobOf(number));
  blobs::refer(*db, contentOf(1), 1);
  blobs::pin(*db, contentOf(2), true);
  REQUIRE(blobs::unreferenced(*db, 10) == std::vector{contentOf(3)});
  blobs::pin(*db, contentOf(2), false);
  REQUIRE(blobs::unreferenced(*db, 1).size() == 1);
  REQUIRE(blobs::unreferenced(*db, 10).size() == 2);
}

TEST_CASE(
    "room is made by the least recently used that is elsewhere, not pinned and not the owner's") {
  Home home;
  auto db = home.open();
  for (kj::byte number: {1, 2, 3, 4, 5, 6}) {
    blobs::put(*db, blobOf(number, 1'000, number == 4 ? Place::OWNERS : Place::FILE));
    blobs::use(*db, contentOf(number), 100 - number);
    blobs::setElsewhere(*db, contentOf(number), number == 6 ? 0 : 1);
  }
  blobs::pin(*db, contentOf(5), true);
  auto usage = blobs::usage(*db);
  REQUIRE(usage.bytes == 5'000);
  REQUIRE(usage.evictable == 3'000);
  REQUIRE(blobs::evictable(*db, 1'500) == std::vector{contentOf(3), contentOf(2)});
  blobs::use(*db, contentOf(3), 1'000);
  REQUIRE(blobs::evictable(*db, 1) == std::vector{contentOf(2)});
  REQUIRE(blobs::evictable(*db, 1'000'000).size() == 3);
  REQUIRE(blobs::evictable(*db, 0).empty());
}

TEST_CASE("a blob that is let go takes no room, and its file is a stray to be shredded") {
  Home home;
  auto db = home.open();
  blobs::put(*db, blobOf(1));
  blobs::put(*db, blobOf(2));
  kj::String names[] = {kj::str("file-1"), kj::str("file-2"), kj::str("file-3")};
  REQUIRE(blobs::strays(*db, names) == std::vector<std::string>{"file-3"});
  blobs::letGo(*db, contentOf(1));
  REQUIRE(known(*db, contentOf(1)).home == Place::NOWHERE);
  REQUIRE(blobs::usage(*db).bytes == 1'000);
  REQUIRE(blobs::strays(*db, names) == std::vector<std::string>{"file-1", "file-3"});
}

TEST_CASE("nodes that two blobs share stay until neither has them") {
  Home home;
  auto db = home.open();
  blobs::put(*db, blobOf(1));
  blobs::put(*db, blobOf(2));
  auto shared = randomBytes(100, 1), own = randomBytes(100, 2);
  for (kj::byte number: {1, 2}) blobs::putNode(*db, contentOf(number), hashOfNode(shared), shared);
  blobs::putNode(*db, contentOf(1), hashOfNode(own), own);
  blobs::letGo(*db, contentOf(1));
  REQUIRE(blobs::node(*db, hashOfNode(own)) == nullptr);
  REQUIRE(KJ_ASSERT_NONNULL(blobs::node(*db, hashOfNode(shared))) == shared);
  blobs::forget(*db, contentOf(2));
  REQUIRE(blobs::node(*db, hashOfNode(shared)) == nullptr);
}

// Places

Cut cutOf(kj::byte number, uint64_t offset) {
  return {offset, {hashOfChunk(kj::arrayPtr(&number, 1)), 10'000}};
}

chunk_places::Source sourceOf(Kind kind, kj::StringPtr name, kj::StringPtr stamp = ""_kj) {
  return {kind, kj::heapArray<kj::byte>(name.asBytes()), kj::heapArray<kj::byte>(stamp.asBytes())};
}

TEST_CASE("a chunk is found in every file that has it, with the stamp that the file had") {
  Home home;
  auto db = home.open();
  auto blob = chunk_places::addSource(*db, sourceOf(Kind::BLOB, "content"));
  auto file = chunk_places::addSource(*db, sourceOf(Kind::OWNERS, "a/b.txt", "size and time"));
  chunk_places::add(*db, blob, cutOf(1, 500));
  chunk_places::add(*db, file, cutOf(1, 0));
  chunk_places::add(*db, file, cutOf(1, 70'000));
  chunk_places::add(*db, file, cutOf(2, 10'000));
  REQUIRE(chunk_places::find(*db, cutOf(1, 0).chunk, 10).size() == 3);
  REQUIRE(chunk_places::find(*db, cutOf(1, 0).chunk, 2).size() == 2);
  auto places = chunk_places::find(*db, cutOf(2, 0).chunk, 10);
  REQUIRE(places.size() == 1);
  REQUIRE(places[0].offset == 10'000);
  REQUIRE(places[0].sourceNumber == file);
  REQUIRE(places[0].source.kind == Kind::OWNERS);
  REQUIRE(places[0].source.name == "a/b.txt"_kj.asBytes());
  REQUIRE(places[0].source.stamp == "size and time"_kj.asBytes());
}

TEST_CASE("a file that was written anew has no places of the old one, which are swept away") {
  Home home;
  auto db = home.open();
  auto before = chunk_places::addSource(*db, sourceOf(Kind::OWNERS, "name", "old"));
  for (kj::byte number = 0; number < 30; ++number)
    chunk_places::add(*db, before, cutOf(number, number * 10'000u));
  auto after = chunk_places::addSource(*db, sourceOf(Kind::OWNERS, "name", "new"));
  REQUIRE(after != before);
  chunk_places::add(*db, after, cutOf(3, 0));
  REQUIRE(chunk_places::find(*db, cutOf(4, 0).chunk, 10).empty());
  REQUIRE(chunk_places::find(*db, cutOf(3, 0).chunk, 10).size() == 1);
  auto rows = [&]() {
    auto count = db->query("SELECT count(*) FROM chunk_places");
    count.step();
    return count.number(0);
  };
  REQUIRE(rows() == 31);
  REQUIRE(chunk_places::sweep(*db, 20));
  REQUIRE(rows() < 31);
  db = nullptr;
  db = home.open();
  while (chunk_places::sweep(*db, 20)) {}
  REQUIRE(rows() == 1);
  REQUIRE(chunk_places::find(*db, cutOf(3, 0).chunk, 10).size() == 1);
}

TEST_CASE("places are walked again only when a file has gone, be it while they are walked") {
  Home home;
  auto db = home.open();
  auto addFile = [&](kj::StringPtr name) {
    auto source = chunk_places::addSource(*db, sourceOf(Kind::OWNERS, name));
    for (kj::byte number = 0; number < 30; ++number)
      chunk_places::add(*db, source, cutOf(number, number * 10'000u));
  };
  auto walk = [&]() {
    size_t steps = 1;
    while (chunk_places::sweep(*db, 10)) ++steps;
    return steps;
  };
  addFile("one");
  addFile("two");
  addFile("three");
  walk();
  REQUIRE(walk() == 1);
  chunk_places::dropSource(*db, Kind::OWNERS, "one"_kj.asBytes());
  REQUIRE(chunk_places::sweep(*db, 30));
  chunk_places::dropSource(*db, Kind::OWNERS, "two"_kj.asBytes());
  walk();
  REQUIRE(walk() > 1);
  auto count = db->query("SELECT count(*) FROM chunk_places");
  count.step();
  REQUIRE(count.number(0) == 30);
}

TEST_CASE("a chunk that was not where it should be is not looked for there again") {
  Home home;
  auto db = home.open();
  auto source = chunk_places::addSource(*db, sourceOf(Kind::OWNERS, "name"));
  chunk_places::add(*db, source, cutOf(1, 0));
  chunk_places::add(*db, source, cutOf(1, 50'000));
  chunk_places::drop(*db, source, 0, cutOf(1, 0).chunk.hash);
  auto places = chunk_places::find(*db, cutOf(1, 0).chunk, 10);
  REQUIRE(places.size() == 1);
  REQUIRE(places[0].offset == 50'000);
  chunk_places::dropSource(*db, Kind::OWNERS, "name"_kj.asBytes());
  REQUIRE(chunk_places::find(*db, cutOf(1, 0).chunk, 10).empty());
}

}  // namespace
}  // namespace hearth::storage
