#pragma once
// The hash tree over a blob's chunks. A node lists its children, and ends where a child's hash says so: after a
// change in the middle or at the end, all nodes but those around it are what they were, and two devices see by
// the hashes which ones they share. With the nodes on the way from its reference a chunk is verified when it
// arrives, whoever sent it.
//
//   chunk        hash = BLAKE3(bytes)
//   node         u8 level | u16 n | n * (b[32] hash | u24 length)      level 1: of chunks
//                                   n * (b[32] hash | u64 length)      level 2 and more: of nodes below
//                hash = BLAKE3 derive-key "hearth/blob-node/v1"
//   reference    u8 level | u64 length | b[32] hash                    of the top: level 0 is a single chunk
//   content id   BLAKE3 derive-key "hearth/blob-root/v1" of the reference
//
// Every node that is not the last of its level has at least 16 children, and every chunk but the last 8 KiB: so
// a hostile tree has no more parts than an honest one.

#include "core/base/flat.h"
#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"

#include <functional>
#include <vector>

namespace hearth::storage {

using ContentId = Id<struct ContentTag, 32>;

constexpr uint64_t BLOB_BYTES_MAX = uint64_t{1} << 42;
constexpr uint32_t CHUNK_BYTES_MIN = 8 << 10;  // but for the last
constexpr uint32_t CHUNK_BYTES_MAX = 64 << 10;
constexpr size_t CHILDREN_MIN = 16;  // but for the last node of a level
constexpr size_t CHILDREN_MAX = 256;
constexpr uint8_t LEVEL_MAX = 8;

struct Child {
  Digest hash;
  uint64_t length = 0;  // of the blob's bytes below it

  bool operator==(const Child&) const = default;
};

struct BlobRef {
  static constexpr size_t ENCODED_BYTES = 41;

  uint8_t level = 0;
  Child top;

  ContentId contentId() const;
  crypto::Buffer encode() const;
  // Errors: BAD_FORMAT.
  static Result<BlobRef> parse(crypto::Bytes bytes);
  bool operator==(const BlobRef&) const = default;
};

struct BlobNode {
  static constexpr size_t ENCODED_BYTES_MAX = 3 + CHILDREN_MAX * 40;

  uint8_t level = 1;
  std::vector<Child> children;

  crypto::Buffer encode() const;
};

Digest hashOfChunk(crypto::Bytes bytes);
Digest hashOfNode(crypto::Bytes encoded);

// What is known of a part of a tree before it is there: from its parent, or from the reference.
struct Expected {
  uint8_t level;  // 0: a chunk
  Child part;
  bool last;  // it ends with the blob
};
Expected expectedTop(const BlobRef& ref);
Expected expectedChild(const BlobNode& parent, size_t index, bool parentIsLast);

// Errors: INTEGRITY_FAILED (other bytes than were asked for); BAD_FORMAT, LIMIT_EXCEEDED (the author of the tree
// has made it so: another level, too many or too few children, a chunk too large or too small, lengths that do
// not add up).
Result<BlobNode> verifyNode(const Expected& expected, crypto::Bytes encoded);
Result<void> verifyChunk(const Expected& expected, crypto::Bytes bytes);

// Makes the tree of chunks that come in order.
class TreeBuilder final {
 public:
  using NodeSink = std::function<void(const Digest&, crypto::Bytes encoded)>;

  explicit TreeBuilder(NodeSink onNode): onNode(kj::mv(onNode)) {}

  void add(const Child& chunk);
  // Requires that nothing is added afterwards.
  BlobRef finish();

 private:
  struct Level {
    std::vector<Child> open;
    bool hasNodes = false;
  };

  NodeSink onNode;
  std::vector<Level> levels;

  void put(size_t level, const Child& child);
  void close(size_t level);
};

}  // namespace hearth::storage
