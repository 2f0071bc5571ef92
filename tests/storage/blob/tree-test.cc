#include "storage/blob/cutter.h"
#include "tests/storage/blob/luck.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

namespace hearth::storage {
namespace {

using crypto::Buffer;
using crypto::Bytes;

struct Tree {
  BlobRef ref;
  std::map<Digest, Buffer> nodes;
  std::vector<Cut> cuts;
};

Tree treeOf(Bytes bytes) {
  Tree tree;
  Gear gear(testKey());
  BlobCutter cutter(
      gear, [&](const Cut& cut) { tree.cuts.push_back(cut); },
      [&](const Digest& hash, Bytes encoded) {
        tree.nodes.emplace(hash, kj::heapArray<kj::byte>(encoded));
      });
  cutter.add(bytes);
  tree.ref = cutter.finish();
  return tree;
}

// Chunks that need not exist: as many as fill several levels.
Tree treeOfMany(uint32_t count) {
  Tree tree;
  TreeBuilder builder([&](const Digest& hash, Bytes encoded) {
    tree.nodes.emplace(hash, kj::heapArray<kj::byte>(encoded));
  });
  for (uint32_t i = 0; i < count; ++i) {
    auto name = kj::arrayPtr(reinterpret_cast<const kj::byte*>(&i), sizeof(i));
    builder.add({hashOfChunk(name), CHUNK_BYTES_MIN + i % 9'000});
  }
  tree.ref = builder.finish();
  return tree;
}

// Everything below, verified; the chunks in order.
void walk(const Tree& tree, const Expected& expected, std::vector<Expected>& chunks) {
  if (expected.level == 0) return chunks.push_back(expected);
  auto node = verifyNode(expected, tree.nodes.at(expected.part.hash));
  REQUIRE(node.has_value());
  for (size_t i = 0; i < node->children.size(); ++i)
    walk(tree, expectedChild(*node, i, expected.last), chunks);
}

size_t newNodes(const Tree& before, const Tree& after) {
  size_t count = 0;
  for (auto& [hash, encoded]: after.nodes) count += !before.nodes.contains(hash);
  return count;
}

// A node of chunks of the least size, and what its parent says of it.
BlobNode honest(size_t children = 20) {
  BlobNode node;
  for (size_t i = 0; i < children; ++i) {
    auto byte = static_cast<kj::byte>(i);
    node.children.push_back({hashOfChunk(kj::arrayPtr(&byte, 1)), CHUNK_BYTES_MIN});
  }
  return node;
}

Error refusal(const BlobNode& node, uint64_t length, bool last = false, uint8_t level = 1) {
  auto encoded = node.encode();
  auto read = verifyNode({level, {hashOfNode(encoded), length}, last}, encoded);
  REQUIRE(!read.has_value());
  return read.error();
}

TEST_CASE("every chunk of a blob verifies with the nodes on the way from its reference") {
  auto bytes = randomBytes(9 << 20, 1);
  auto tree = treeOf(bytes);
  REQUIRE(tree.ref.level >= 2);
  REQUIRE(tree.ref.top.length == bytes.size());
  std::vector<Expected> chunks;
  walk(tree, expectedTop(tree.ref), chunks);
  REQUIRE(chunks.size() == tree.cuts.size());
  uint64_t at = 0;
  for (auto& chunk: chunks) {
    REQUIRE(verifyChunk(chunk, bytes.slice(at, at + chunk.part.length)).has_value());
    at += chunk.part.length;
  }
  REQUIRE(at == bytes.size());
}

TEST_CASE("a chunk with a changed byte, another length or in another place is refused") {
  auto bytes = randomBytes(1 << 20, 2);
  auto tree = treeOf(bytes);
  std::vector<Expected> chunks;
  walk(tree, expectedTop(tree.ref), chunks);
  auto first = bytes.slice(0, chunks[0].part.length);
  REQUIRE(verifyChunk(chunks[0], first).has_value());
  REQUIRE(verifyChunk(chunks[1], first).error().code == Errc::INTEGRITY_FAILED);
  REQUIRE(
      verifyChunk(chunks[0], first.slice(1, first.size())).error().code == Errc::INTEGRITY_FAILED);
  first[100] ^= 1;
  REQUIRE(verifyChunk(chunks[0], first).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("nothing, a byte and a single chunk are blobs without nodes") {
  for (size_t size: {0, 1, 8'000}) {
    auto bytes = randomBytes(size, 3);
    auto tree = treeOf(bytes);
    REQUIRE(tree.nodes.empty());
    REQUIRE(tree.ref.level == 0);
    REQUIRE(verifyChunk(expectedTop(tree.ref), bytes).has_value());
    REQUIRE(BlobRef::parse(tree.ref.encode()).value() == tree.ref);
  }
}

TEST_CASE("the tree is the same in whatever pieces the bytes come") {
  auto bytes = randomBytes(2 << 20, 4);
  Gear gear(testKey());
  BlobCutter cutter(gear, [](auto&) {}, [](auto&, auto) {});
  for (size_t at = 0, piece = 1; at < bytes.size(); at += piece, piece = piece * 3 % 70'001)
    cutter.add(bytes.slice(at, kj::min(at + piece, bytes.size())));
  REQUIRE(cutter.finish() == treeOf(bytes).ref);
}

TEST_CASE("what is changed, inserted or appended changes few nodes of a tree of many") {
  auto bytes = randomBytes(64 << 20, 5);
  auto tree = treeOf(bytes.slice(1, 63 << 20));
  REQUIRE(tree.nodes.size() > 40);
  REQUIRE(newNodes(tree, treeOf(bytes.slice(0, 63 << 20))) <= 4);
  REQUIRE(newNodes(tree, treeOf(bytes.slice(1, (63 << 20) + 100))) <= 4);
  bytes[30 << 20] ^= 1;
  REQUIRE(newNodes(tree, treeOf(bytes.slice(1, 63 << 20))) <= 4);
}

TEST_CASE("a million chunks take four levels, and every node of them verifies") {
  auto tree = treeOfMany(1'000'000);
  REQUIRE(tree.ref.level <= 4);
  std::vector<Expected> chunks;
  walk(tree, expectedTop(tree.ref), chunks);
  REQUIRE(chunks.size() == 1'000'000);
  REQUIRE(tree.nodes.size() < 1'000'000 / 50);
}

TEST_CASE("the hashes of a chunk, of a node and of a reference are of three kinds") {
  auto encoded = honest().encode();
  REQUIRE(hashOfChunk(encoded) != hashOfNode(encoded));
  BlobRef ref{0, {hashOfChunk(nullptr), 0}};
  auto id = Digest::from(ref.contentId().asBytes()).value();
  REQUIRE(id != hashOfChunk(ref.encode()));
  REQUIRE(id != hashOfNode(ref.encode()));
}

TEST_CASE("an honest node is taken") {
  auto encoded = honest().encode();
  Expected expected{1, {hashOfNode(encoded), 20 * CHUNK_BYTES_MIN}, false};
  REQUIRE(verifyNode(expected, encoded).value().children == honest().children);
}

TEST_CASE("a node with other bytes than were asked for is refused as IntegrityFailed") {
  auto encoded = honest().encode();
  Expected expected{1, {hashOfNode(encoded), 20 * CHUNK_BYTES_MIN}, false};
  encoded[40] ^= 1;
  REQUIRE(verifyNode(expected, encoded).error().code == Errc::INTEGRITY_FAILED);
}

TEST_CASE("a node of another level is refused, so that no tree is deeper than its reference says") {
  auto node = honest();
  REQUIRE(refusal(node, 20 * CHUNK_BYTES_MIN, false, 2).code == Errc::BAD_FORMAT);
  node.level = 2;
  REQUIRE(refusal(node, 20 * CHUNK_BYTES_MIN).code == Errc::BAD_FORMAT);
}

TEST_CASE("a node whose lengths do not add up, or overflow, or are nothing, is refused") {
  REQUIRE(refusal(honest(), 20 * CHUNK_BYTES_MIN - 1).code == Errc::BAD_FORMAT);
  REQUIRE(refusal(honest(), 20 * CHUNK_BYTES_MIN + 1).code == Errc::BAD_FORMAT);
  auto wrapping = honest();
  wrapping.level = 2;
  wrapping.children[0].length = ~uint64_t{0} - 100;
  wrapping.children[1].length = 101 + 18 * CHUNK_BYTES_MIN;
  REQUIRE(refusal(wrapping, 36 * CHUNK_BYTES_MIN, false, 2).code == Errc::BAD_FORMAT);
  auto empty = honest();
  empty.children[3].length = 0;
  REQUIRE(refusal(empty, 19 * CHUNK_BYTES_MIN).code == Errc::BAD_FORMAT);
}

TEST_CASE("a node of too few or too many children is refused") {
  REQUIRE(refusal(honest(15), 15 * CHUNK_BYTES_MIN).code == Errc::LIMIT_EXCEEDED);
  REQUIRE(refusal(honest(0), 0, true).code == Errc::LIMIT_EXCEEDED);
  REQUIRE(refusal(honest(257), 257 * CHUNK_BYTES_MIN).code == Errc::BAD_FORMAT);
  auto encoded = honest(15).encode();
  REQUIRE(verifyNode({1, {hashOfNode(encoded), 15 * CHUNK_BYTES_MIN}, true}, encoded).has_value());
}

TEST_CASE(
    "a chunk that is too large, or too small and not the last, is refused before it is asked for") {
  auto node = honest();
  node.children[2].length = CHUNK_BYTES_MAX + 1;
  REQUIRE(refusal(node, 19 * CHUNK_BYTES_MIN + CHUNK_BYTES_MAX + 1).code == Errc::LIMIT_EXCEEDED);
  node = honest();
  node.children[19].length = 1;
  REQUIRE(refusal(node, 19 * CHUNK_BYTES_MIN + 1).code == Errc::LIMIT_EXCEEDED);
  auto encoded = node.encode();
  Expected last{1, {hashOfNode(encoded), 19 * CHUNK_BYTES_MIN + 1}, true};
  REQUIRE(verifyNode(last, encoded).has_value());
}

TEST_CASE("a reference that no blob has is refused") {
  auto refused = [](uint8_t level, uint64_t length) {
    return BlobRef::parse(BlobRef{level, {{}, length}}.encode()).error().code == Errc::BAD_FORMAT;
  };
  REQUIRE(refused(LEVEL_MAX + 1, 1'000));
  REQUIRE(refused(0, CHUNK_BYTES_MAX + 1));
  REQUIRE(refused(1, 0));
  REQUIRE(refused(3, BLOB_BYTES_MAX + 1));
  REQUIRE(!BlobRef::parse(BlobRef{}.encode().slice(0, 40)).has_value());
}

}  // namespace
}  // namespace hearth::storage
