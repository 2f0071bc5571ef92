#include "storage/blob/tree.h"

#include "crypto/primitives/blake3.h"

#include <kj/debug.h>

namespace hearth::storage {

namespace {

using crypto::Blake3;
using crypto::Bytes;

constexpr int BORDER_ONE_IN = 48;  // beyond the least children: 64 on average

// A hash is as good as random; whoever searches for chunks whose hashes say otherwise gets nodes of the least or
// the greatest size, and no more.
bool endsNode(const Child& child) {
  return child.hash.bytes[0] * 256 + child.hash.bytes[1] < 65'536 / BORDER_ONE_IN;
}

Result<void> fits(const Child& child, uint8_t level, bool last) {
  if (level > 0) return {};
  if (child.length > CHUNK_BYTES_MAX) return no(Errc::LIMIT_EXCEEDED, "a chunk that is too large");
  if (child.length < CHUNK_BYTES_MIN && !last)
    return no(Errc::LIMIT_EXCEEDED, "a chunk that is too small");
  return {};
}

// Each adds bytes of its own, and their sum is that of the node.
Result<void> addsUp(const BlobNode& node, const Expected& expected) {
  uint64_t sum = 0;
  for (size_t i = 0; i < node.children.size(); ++i) {
    auto& child = node.children[i];
    if (child.length == 0 || child.length > expected.part.length - sum)
      return no(Errc::BAD_FORMAT, "lengths that do not add up");
    sum += child.length;
    auto next = expectedChild(node, i, expected.last);
    if (auto fitting = fits(child, next.level, next.last); !fitting) return fitting;
  }
  if (sum != expected.part.length) return no(Errc::BAD_FORMAT, "lengths that do not add up");
  return {};
}

Result<BlobNode> parseNode(Bytes encoded) {
  FlatReader in(encoded);
  BlobNode node;
  node.level = in.u8();
  auto count = in.count16(CHILDREN_MAX, 35);
  for (size_t i = 0; i < count; ++i) {
    auto hash = in.id<Digest>();
    node.children.push_back({hash, node.level == 1 ? in.u24() : in.u64()});
  }
  if (auto end = in.finish(); !end) return no(end.error());
  return node;
}

}  // namespace

ContentId BlobRef::contentId() const {
  static const Blake3 ROOT = Blake3::deriving("hearth/blob-root/v1"_kj);
  return ContentId::from(Blake3(ROOT).update(encode()).finish().asBytes()).value();
}

crypto::Buffer BlobRef::encode() const {
  FlatWriter out;
  out.u8(level).u64(top.length).bytes(top.hash.asBytes());
  return out.finish();
}

Result<BlobRef> BlobRef::parse(Bytes bytes) {
  FlatReader in(bytes);
  BlobRef ref;
  ref.level = in.u8();
  ref.top.length = in.u64();
  ref.top.hash = in.id<Digest>();
  if (ref.level > LEVEL_MAX || ref.top.length > BLOB_BYTES_MAX) in.refuse();
  if (ref.level == 0 ? ref.top.length > CHUNK_BYTES_MAX : ref.top.length == 0) in.refuse();
  if (ref.top.length == 0 && ref.top.hash != hashOfChunk(nullptr)) in.refuse();
  if (auto end = in.finish(); !end) return no(end.error());
  return ref;
}

crypto::Buffer BlobNode::encode() const {
  FlatWriter out;
  out.u8(level).u16(static_cast<uint16_t>(children.size()));
  for (auto& child: children) {
    out.bytes(child.hash.asBytes());
    if (level == 1) {
      out.u24(static_cast<uint32_t>(child.length));
    } else {
      out.u64(child.length);
    }
  }
  return out.finish();
}

Digest hashOfChunk(Bytes bytes) { return crypto::blake3(bytes); }

Digest hashOfNode(Bytes encoded) {
  static const Blake3 NODE = Blake3::deriving("hearth/blob-node/v1"_kj);
  return Blake3(NODE).update(encoded).finish();
}

Expected expectedTop(const BlobRef& ref) { return {ref.level, ref.top, true}; }

Expected expectedChild(const BlobNode& parent, size_t index, bool parentIsLast) {
  bool last = parentIsLast && index + 1 == parent.children.size();
  return {static_cast<uint8_t>(parent.level - 1), parent.children[index], last};
}

Result<BlobNode> verifyNode(const Expected& expected, Bytes encoded) {
  KJ_REQUIRE(expected.level > 0, "a chunk is no node");
  if (hashOfNode(encoded) != expected.part.hash)
    return no(Errc::INTEGRITY_FAILED, "a node that is another one");
  auto node = parseNode(encoded);
  if (!node) return node;
  if (node->level != expected.level) return no(Errc::BAD_FORMAT, "a node of another level");
  if (node->children.size() < (expected.last ? 1 : CHILDREN_MIN))
    return no(Errc::LIMIT_EXCEEDED, "a node of too few children");
  if (auto sum = addsUp(*node, expected); !sum) return no(sum.error());
  return node;
}

Result<void> verifyChunk(const Expected& expected, Bytes bytes) {
  KJ_REQUIRE(expected.level == 0, "a node is no chunk");
  if (bytes.size() != expected.part.length || hashOfChunk(bytes) != expected.part.hash)
    return no(Errc::INTEGRITY_FAILED, "a chunk that is another one");
  return {};
}

void TreeBuilder::add(const Child& chunk) {
  KJ_REQUIRE(chunk.length <= CHUNK_BYTES_MAX, chunk.length);
  put(0, chunk);
}

void TreeBuilder::put(size_t level, const Child& child) {
  if (level == levels.size()) levels.emplace_back();
  auto& open = levels[level].open;
  open.push_back(child);
  if (open.size() == CHILDREN_MAX || (open.size() >= CHILDREN_MIN && endsNode(child))) close(level);
}

void TreeBuilder::close(size_t level) {
  BlobNode node{static_cast<uint8_t>(level + 1), {}};
  std::swap(node.children, levels[level].open);
  levels[level].hasNodes = true;
  Child made;
  for (auto& child: node.children) made.length += child.length;
  auto encoded = node.encode();
  made.hash = hashOfNode(encoded);
  onNode(made.hash, encoded);
  put(level + 1, made);
}

BlobRef TreeBuilder::finish() {
  if (levels.empty()) put(0, {hashOfChunk(nullptr), 0});
  for (size_t level = 0;; ++level) {
    auto& here = levels[level];
    if (!here.hasNodes && here.open.size() == 1) {
      KJ_ASSERT(level <= LEVEL_MAX);
      return {static_cast<uint8_t>(level), here.open[0]};
    }
    if (!here.open.empty()) close(level);
  }
}

}  // namespace hearth::storage
