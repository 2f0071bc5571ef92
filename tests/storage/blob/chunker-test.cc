#include "storage/blob/chunker.h"
#include "tests/storage/blob/luck.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <set>
#include <vector>

namespace hearth::storage {
namespace {

using crypto::Bytes;

// Lengths of the chunks, the bytes coming in pieces of at most `pieceMost`; the last may be unfinished.
std::vector<size_t> cut(Bytes bytes, const Gear& gear, size_t pieceMost = ~size_t{0},
    uint64_t seed = 1, const ChunkSizes& sizes = CHUNK_SIZES) {
  std::mt19937_64 luck(seed);
  Chunker chunker(gear, sizes);
  std::vector<size_t> lengths{0};
  while (bytes.size() > 0) {
    auto piece = bytes.slice(0, kj::min(bytes.size(), 1 + luck() % pieceMost));
    while (piece.size() > 0) {
      auto part = chunker.next(piece);
      REQUIRE(part.bytes <= piece.size());
      lengths.back() += part.bytes;
      if (part.ends) lengths.push_back(0);
      piece = piece.slice(part.bytes, piece.size());
      bytes = bytes.slice(part.bytes, bytes.size());
    }
  }
  if (lengths.back() == 0) lengths.pop_back();
  return lengths;
}

// The definition, byte by byte.
std::vector<size_t> cutSlowly(Bytes bytes, const Gear& gear, const ChunkSizes& sizes) {
  std::vector<size_t> lengths;
  size_t length = 0;
  uint64_t hash = 0;
  for (auto byte: bytes) {
    ++length;
    if (length > sizes.minBytes) hash = (hash << 1) + gear[byte];
    auto bits = length > sizes.normalBytes ? sizes.oftenBits : sizes.rareBits;
    bool small = length > sizes.minBytes && hash >> (64 - bits) == 0;
    if (!small && length < sizes.maxBytes) continue;
    lengths.push_back(length);
    length = 0;
    hash = 0;
  }
  if (length > 0) lengths.push_back(length);
  return lengths;
}

// Where each chunk ends, counted from the end of the bytes.
std::set<size_t> endsFromBehind(const std::vector<size_t>& lengths, size_t total) {
  std::set<size_t> ends;
  for (auto length: lengths) ends.insert(total -= length);
  return ends;
}

TEST_CASE("the cuts are those of the definition, in whatever pieces the bytes come") {
  auto seed = GENERATE(range(1, 40));
  CAPTURE(seed);
  std::mt19937_64 luck(static_cast<uint64_t>(seed));
  ChunkSizes small{static_cast<uint32_t>(1 + luck() % 90), 100, 300,
      static_cast<uint8_t>(5 + luck() % 4), static_cast<uint8_t>(2 + luck() % 4)};
  auto bytes = randomBytes(luck() % 20'000, luck());
  Gear gear(testKey());
  auto slowly = cutSlowly(bytes, gear, small);
  REQUIRE(cut(bytes, gear, ~size_t{0}, 1, small) == slowly);
  REQUIRE(cut(bytes, gear, 1, 1, small) == slowly);
  REQUIRE(cut(bytes, gear, 200, luck(), small) == slowly);
}

TEST_CASE("chunks keep their least and greatest size, and the average is what was measured") {
  auto bytes = randomBytes(16 << 20, 1);
  auto lengths = cut(bytes, Gear(testKey()));
  for (size_t i = 0; i < lengths.size(); ++i) {
    REQUIRE(lengths[i] <= CHUNK_SIZES.maxBytes);
    REQUIRE((i + 1 == lengths.size() || lengths[i] >= CHUNK_SIZES.minBytes));
  }
  auto average = bytes.size() / lengths.size();
  CAPTURE(average);
  REQUIRE(average > 18 << 10);
  REQUIRE(average < 21 << 10);
}

TEST_CASE("bytes without content are cut at the greatest size") {
  auto bytes = kj::heapArray<kj::byte>(1 << 20);
  memset(bytes.begin(), 7, bytes.size());
  auto lengths = cut(bytes, Gear(testKey()));
  REQUIRE(
      lengths == std::vector<size_t>(bytes.size() / CHUNK_SIZES.maxBytes, CHUNK_SIZES.maxBytes));
}

TEST_CASE("behind a byte that was inserted in front the cuts are soon the same again") {
  constexpr size_t SIZE = 4 << 20;
  auto bytes = randomBytes(SIZE + 1, 2);
  Gear gear(testKey());
  auto before = endsFromBehind(cut(bytes.slice(1, SIZE + 1), gear), SIZE);
  auto after = endsFromBehind(cut(bytes, gear), SIZE + 1);
  size_t same = 0;
  for (auto end: after) same += before.contains(end);
  REQUIRE(same + 12 >= after.size());
}

TEST_CASE("another key cuts elsewhere") {
  auto bytes = randomBytes(4 << 20, 3);
  auto one = endsFromBehind(cut(bytes, Gear(testKey(1))), bytes.size());
  auto other = endsFromBehind(cut(bytes, Gear(testKey(2))), bytes.size());
  size_t same = 0;
  for (auto end: one) same += other.contains(end);
  REQUIRE(one.size() > 100);
  REQUIRE(same <= 2);  // the end of all, and luck
}

}  // namespace
}  // namespace hearth::storage
