#include "storage/tables/blobs.h"
#include "storage/tables/chunk-changes.h"
#include "tests/storage/blob/luck.h"
#include "tests/storage/home.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

namespace hearth::storage {
namespace {

using Kind = chunk_places::Source::Kind;
using Chunks = std::vector<uint64_t>;                    // each a chunk's number
using Places = std::set<std::pair<uint64_t, uint64_t>>;  // a chunk's number, and where it is

Child chunkOf(uint64_t number) {
  return {hashOfChunk(kj::arrayPtr(&number, 1).asBytes()), CHUNK_BYTES_MIN + number % 9'000};
}

struct Files {
  Home home;
  kj::Own<Database> db = home.open();
  int64_t source =
      chunk_places::addSource(*db, {Kind::OWNERS, kj::heapArray<kj::byte>(1), nullptr});

  // Its nodes are known from then on.
  BlobRef treeOf(const Chunks& chunks) {
    std::vector<std::pair<Digest, crypto::Buffer>> nodes;
    TreeBuilder builder([&](const Digest& hash, crypto::Bytes encoded) {
      nodes.emplace_back(hash, kj::heapArray<kj::byte>(encoded));
    });
    for (auto number: chunks) builder.add(chunkOf(number));
    auto ref = builder.finish();
    blobs::put(*db, {.ref = ref, .home = blobs::Home::OWNERS});
    for (auto& [hash, encoded]: nodes) blobs::putNode(*db, ref.contentId(), hash, encoded);
    return ref;
  }

  uint64_t change(const kj::Maybe<BlobRef>& before, const BlobRef& after) {
    auto rows = db->changes();
    Transaction all(*db);
    chunk_places::change(*db, source, before, after);
    all.commit();
    return db->changes() - rows;
  }

  uint64_t rows() {
    auto select = db->query("SELECT count(*) FROM chunk_places");
    select.step();
    return static_cast<uint64_t>(select.number(0));
  }
  Places placesOf(const Chunks& chunks) {
    Places found;
    for (auto number: std::set(chunks.begin(), chunks.end())) {
      for (auto& place: chunk_places::find(*db, chunkOf(number), 1'000))
        found.emplace(number, place.offset);
    }
    return found;
  }
};

Places expectedOf(const Chunks& chunks) {
  Places expected;
  uint64_t offset = 0;
  for (auto number: chunks) {
    expected.emplace(number, offset);
    offset += chunkOf(number).length;
  }
  return expected;
}

Chunks chunksFrom(uint64_t first, size_t count) {
  Chunks chunks;
  for (size_t i = 0; i < count; ++i) chunks.push_back(first + i);
  return chunks;
}

TEST_CASE("all chunks of a file that is new are found where they are") {
  Files files;
  auto chunks = chunksFrom(0, 3'000);
  REQUIRE(files.change(nullptr, files.treeOf(chunks)) == chunks.size());
  REQUIRE(files.placesOf(chunks) == expectedOf(chunks));
}

TEST_CASE("to append to a file writes rows for what is new") {
  Files files;
  auto chunks = chunksFrom(0, 3'000);
  auto before = files.treeOf(chunks);
  files.change(nullptr, before);
  chunks.push_back(5'000);
  auto after = files.treeOf(chunks);
  REQUIRE(files.change(before, after) == 1);
  REQUIRE(files.placesOf(chunks) == expectedOf(chunks));
}

TEST_CASE("a chunk in front changes the place of all others") {
  Files files;
  auto chunks = chunksFrom(0, 1'000);
  auto before = files.treeOf(chunks);
  files.change(nullptr, before);
  chunks.insert(chunks.begin(), 5'000);
  files.change(before, files.treeOf(chunks));
  REQUIRE(files.placesOf(chunks) == expectedOf(chunks));
  REQUIRE(files.rows() == chunks.size());
}

TEST_CASE("whatever is changed, the places are those of the file as it is") {
  std::mt19937_64 luck(7);
  for (int round = 0; round < 60; ++round) {
    Files files;
    kj::Maybe<BlobRef> before;
    Chunks chunks = chunksFrom(0, 1 + luck() % 800);
    for (int change = 0; change < 5; ++change) {
      auto after = files.treeOf(chunks);
      files.change(before, after);
      CAPTURE(round, change);
      REQUIRE(files.placesOf(chunks) == expectedOf(chunks));
      REQUIRE(files.rows() == expectedOf(chunks).size());
      before = after;
      auto at = chunks.begin() + static_cast<ptrdiff_t>(luck() % chunks.size());
      auto some = chunksFrom(luck() % 1'000, 1 + luck() % 100);
      if (luck() % 3 == 0) {
        *at = 1'000 + luck() % 1'000;
      } else if (luck() % 2 == 0) {
        chunks.insert(at, some.begin(), some.end());
      } else {
        chunks.erase(at, chunks.end());
        chunks.insert(chunks.end(), some.begin(), some.end());
      }
    }
  }
}

TEST_CASE("below nodes that are not here nothing is known") {
  Files files;
  auto chunks = chunksFrom(0, 600);
  TreeBuilder builder([](const Digest&, crypto::Bytes) {});
  for (auto number: chunks) builder.add(chunkOf(number));
  REQUIRE(files.change(nullptr, builder.finish()) == 0);
}

}  // namespace
}  // namespace hearth::storage
